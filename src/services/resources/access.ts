import type { AnyActor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { AccessRule, Definition, Row } from '../../resources/declare/definition.ts';
import { type Access, type RowStatements, visibilityOf } from './statements.ts';

export type RowAccess<R extends Row = Row> = ReturnType<typeof createRowAccess<R>>;

/** Decides who may read and change the rows of a resource. */
export function createRowAccess<R extends Row>(
  def: Definition,
  statements: Pick<RowStatements<R>, 'byId' | 'accessById'>,
) {
  const rules = rulesOf(def);
  const find = async (session: Session, id: number): Promise<R | undefined> =>
    (await statements.byId(session, { id }))[0];
  const notFound = (id: number) => notFoundOf(def, id);
  const ensureShown = <T extends Row>(row: T | undefined, actor: AnyActor, id: number): T => {
    if (!row || isBinned(row) || !rules.mayRead(actor, row)) throw notFound(id);
    return row;
  };
  /** The columns that decide on access to the row, if the caller may read it. Throws not_found. */
  const ensureVisible = async (session: Session, actor: AnyActor, id: number): Promise<Access> =>
    ensureShown((await statements.accessById(session, { id }))[0], actor, id);
  /** The row, if the caller may read it. Throws not_found. */
  const getVisible = async (session: Session, actor: AnyActor, id: number): Promise<R> =>
    ensureShown(await find(session, id), actor, id);
  return {
    ...rules,
    ensureVisible,
    getVisible,
    notFound,

    /** Throws forbidden unless the caller may create this row. */
    ensureCreatable: (actor: AnyActor, row: Row): void => {
      if (!rules.mayCreate(actor, row)) throw forbidden();
    },

    /** The row, if the caller may change it. Throws not_found, forbidden. */
    getEditable: async (session: Session, actor: AnyActor, id: number): Promise<R> => {
      const row = await getVisible(session, actor, id);
      if (!rules.mayWrite(actor, row)) throw forbidden();
      return row;
    },

    /** The row in the bin, if the caller may change it. Throws not_found. */
    getBinned: async (session: Session, actor: AnyActor, id: number): Promise<R> => {
      const row = await find(session, id);
      if (!row || !isBinned(row) || !rules.mayRestore(actor, row)) throw notFound(id);
      return row;
    },

    /**
     * The row, in the bin too, for someone who may know all its versions. Throws not_found,
     * forbidden.
     */
    getManaged: async (session: Session, actor: AnyActor, id: number): Promise<R> => {
      const row = await find(session, id);
      if (row && rules.mayManage(actor, row)) return row;
      ensureShown(row, actor, id);
      throw forbidden();
    },
  };
}

/** True if the row was moved to the bin. */
export function isBinned(row: Row): boolean {
  return (row['deleted_at'] ?? null) !== null;
}

export function notFoundOf({ one }: Pick<Definition, 'one'>, id: number): AppError {
  return new AppError('not_found', `${titleOf(one)} ${id} not found`);
}

/** The singular name at the start of a sentence. */
export function titleOf(one: string): string {
  return one.charAt(0).toUpperCase() + one.slice(1).replaceAll('_', ' ');
}

function forbidden(): AppError {
  return new AppError('forbidden', 'Not enough permissions');
}

const isOwn: AccessRule = (actor, row) => row.owner_id === actor.id;
const isAdmin: AccessRule = ({ role }) => role === 'admin';
const isSignedIn: AccessRule = ({ id }) => id !== null;
const READ = { public: () => true, user: isSignedIn, owner: isOwn, admin: isAdmin };
const WRITE = { user: isSignedIn, owner: isSignedIn, admin: isAdmin };

function rulesOf(def: Definition) {
  const { read, write, hasVisibility } = def;
  const visibility = visibilityOf(def);
  const isPublic = (row: Row) => !hasVisibility || row[visibility] === 'public';
  const reads = typeof read === 'function' ? read : READ[read];
  const writes = typeof write === 'function' ? write : WRITE[write];
  /** True if the caller may read a row that is not in the bin. Commands and jobs may read all. */
  const mayRead: AccessRule = (actor, row) => actor.role === 'system' || isOwnOrShown(actor, row);
  const isOwnOrShown: AccessRule = (actor, row) =>
    hasVisibility && isOwn(actor, row) ? true : isPublic(row) && reads(actor, row);
  const mayWrite: AccessRule = (actor, row) => {
    if (actor.role === 'system') return true;
    if (write !== 'owner') return writes(actor, row);
    return isOwn(actor, row) || (isAdmin(actor, row) && isPublic(row));
  };
  /** True if what a caller may do with a row is independent of its values. */
  const isFixed = !hasVisibility && typeof read !== 'function' && typeof write !== 'function';
  return {
    mayRead,
    mayWrite,
    /** True if the caller may change the row in the bin. */
    mayRestore: ((actor, row) => mayRead(actor, row) && mayWrite(actor, row)) satisfies AccessRule,
    mayCreate: ((actor, row) => actor.role === 'system' || writes(actor, row)) satisfies AccessRule,
    /**
     * True if the caller may know and erase all versions of the row: earlier ones may have been
     * hidden from others than the owner.
     */
    mayManage: ((actor, row) => {
      if (isOwn(actor, row)) return mayWrite(actor, row);
      return isFixed && mayRead(actor, row) && mayWrite(actor, row);
    }) satisfies AccessRule,
    /** True if everyone to whom the resource is open finds the row: it is neither private nor in the bin. */
    isListed: (row: Row): boolean => read !== 'owner' && isPublic(row) && !isBinned(row),
  };
}
