import type { Directory } from './directory.ts';
import type { User } from './user.ts';

const PAGE = 500;

/**
 * All rows, page by page, so that memory does not grow with the directory.
 * @param read gives the page after the row with this id; '' stands for the beginning
 */
export async function* pagesFrom<Row extends { id: string }>(
  read: (afterId: string) => Promise<Row[]>,
): AsyncGenerator<Row[]> {
  let page = await read('');
  while (page.length > 0) {
    yield page;
    page = await read(page.at(-1)?.id ?? '');
  }
}

/** Every user except deleted ones, oldest first. */
export function pagesOfUsers(directory: Pick<Directory, 'list'>): AsyncGenerator<User[]> {
  return pagesFrom((afterId) => directory.list(afterId, PAGE));
}
