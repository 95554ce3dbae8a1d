/** What the version before `idcard_` made, word for word, in both databases, and three users. */
export const FORMER_TABLES = [
  'create table "kysely_migration" ("name" varchar(255) not null primary key, "timestamp" varchar(255) not null)',
  'create table "kysely_migration_lock" ("id" varchar(255) not null primary key, "is_locked" integer default 0 not null)',
  `insert into "kysely_migration_lock" ("id", "is_locked") values ('migration_lock', 0)`,
  'create table "users" ("id" text primary key, "email" text not null unique, "email_verified" integer not null, "password_hash" text, "roles" text not null, "status" text not null, "token_version" integer not null, "token_version_raised_at" bigint not null, "created_at" bigint not null)',
  'create index "users_token_version_raised_at" on "users" ("token_version_raised_at")',
  `insert into "kysely_migration" values ('2026-11-23-users', '2026-11-23T10:00:00.000Z')`,
  `insert into "users" values ('01', 'ada@example.com', 1, 'hash', '["admin"]', 'active', 1, 0, 5)`,
  `insert into "users" values ('02', 'bob@example.com', 0, null, '[]', 'disabled', 2, 100, 6)`,
  `insert into "users" values ('03', '03', 0, null, '[]', 'deleted', 3, 50, 7)`,
];

const FORMER_INDEXES = [
  `create index "users_deleted" on "users" ("token_version_raised_at") where "status" = 'deleted'`,
  `insert into "kysely_migration" values ('2026-11-25-deleted-users', '2026-11-25T10:00:00.000Z')`,
  'create index "users_raised" on "users" ("token_version_raised_at", "id", "token_version") where "token_version_raised_at" > 0',
  'drop index "users_token_version_raised_at"',
  `insert into "kysely_migration" values ('2026-11-25-raised-versions', '2026-11-25T10:00:01.000Z')`,
];

export const FORMER = [...FORMER_TABLES, ...FORMER_INDEXES];
