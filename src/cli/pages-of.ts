import type { Directory } from '../users/directory.ts';
import type { User } from '../users/user.ts';

const PAGE = 500;

/** All users, oldest first, without having all of them in memory. */
export async function* pagesOf(directory: Directory): AsyncGenerator<User[]> {
  let page = await directory.list('', PAGE);
  while (page.length > 0) {
    yield page;
    page = await directory.list(page.at(-1)?.id ?? '', PAGE);
  }
}
