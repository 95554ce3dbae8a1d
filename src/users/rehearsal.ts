import { openTemporarySqlite } from '../database/sqlite.ts';
import { createUserRows, type UserRows } from './rows.ts';

/** The directory as an import would leave it: new rows go to a temporary database, which ends with the process. */
export async function rehearse(users: UserRows): Promise<UserRows> {
  const added = createUserRows(await openTemporarySqlite());
  return {
    ...users,
    count: async () => (await users.count()) + (await added.count()),
    find: async (ids) => [...(await users.find(ids)), ...(await added.find(ids))],
    async add(rows) {
      const taken = await users.taken(rows);
      return added.add(rows.filter(({ id }) => !taken.has(id)));
    },
  };
}
