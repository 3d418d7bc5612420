import { eq } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { accountUsage, totps } from '../../models/index.ts';
import type { Audit } from '../audit/audit.ts';
import { LISTS } from './export-lists.ts';
import { ownAccount } from './own-account.ts';
import { userById } from './queries.ts';

export interface AccountExportDeps {
  db: Db;
  audit: Audit;
  now(): Date;
}

/** Everything that is stored about an account, for its owner to take along. */
export const createAccountExport = (deps: AccountExportDeps) => ({
  /**
   * Returns the JSON document as text in parts, one page of rows at a time; a part is read only
   * when it is asked for. A list holds what existed when it began, each row as it was when its
   * page was read. Throws not_found, also in the middle when the account is deleted meanwhile.
   */
  begin: async (actor: Actor): Promise<AsyncGenerator<{ text: string }>> => {
    const { id } = actor;
    const account = await getAccount(deps, id);
    await deps.db.write((tx) => deps.audit.own(tx, actor, 'data.exported'));
    const exported_at = deps.now().toISOString();
    return documentOf(deps, { exported_at, account, ...(await singles(deps.db, id)) });
  },
});

interface Head extends Awaited<ReturnType<typeof singles>> {
  exported_at: string;
  account: ReturnType<typeof ownAccount>;
}

/** What there is at most one of. The secret of an authenticator stays here. */
async function singles({ read: { orm } }: Db, id: number) {
  const { confirmed_at, created_at } = totps;
  const ofTotp = orm.select({ created_at, confirmed_at }).from(totps);
  const [authenticator = null] = await ofTotp.where(eq(totps.user_id, id));
  const ofUsage = orm.select().from(accountUsage).where(eq(accountUsage.user_id, id));
  const usage = (await ofUsage).map(({ user_id: _, ...rest }) => rest)[0] ?? null;
  return { authenticator, usage };
}

async function* documentOf(deps: AccountExportDeps, head: Head) {
  const { id } = head.account;
  yield { text: JSON.stringify(head).slice(0, -1) };
  for (const [name, list] of Object.entries(LISTS)) {
    yield { text: `,"${name}":[` };
    let isFirst = true;
    for await (const page of list.pages(deps.db, id)) {
      const rows = page.map((row) => JSON.stringify(row)).join();
      yield { text: isFirst ? rows : `,${rows}` };
      isFirst = false;
    }
    yield { text: ']' };
  }
  // A document that lacks what was deleted while it was written must not look whole.
  await getAccount(deps, id);
  yield { text: '}' };
}

async function getAccount({ db }: AccountExportDeps, id: number) {
  const [user] = await userById(db.read, { id });
  if (!user) throw new AppError('not_found', 'User not found');
  return ownAccount(user);
}
