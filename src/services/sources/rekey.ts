import { and, asc, eq, gt } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import { sources } from '../../models/sources.ts';
import { columnsOf, type Source, type StoredField, sourceOf } from './definition.ts';
import { openedFields, sealedFields } from './secrets.ts';

/** The outcome for the secrets of all sources. */
export interface RekeyReport {
  /** Sources whose secrets are now sealed with the current key. */
  resealed: string[];
  /** Sources whose secrets no known key opens. */
  unreadable: string[];
}

/** Seals all secrets with the current key, one source per transaction. */
export const createSourceRekey = ({ db, box }: { db: Db; box: SecretBox }) => ({
  run: async (): Promise<RekeyReport> => {
    const report: RekeyReport = { resealed: [], unreadable: [] };
    for (let id = 0; ; ) {
      const [row] = await db.read.orm
        .select()
        .from(sources)
        .where(gt(sources.id, id))
        .orderBy(asc(sources.id))
        .limit(1);
      if (!row) return report;
      const outcome = await reseal(db, box, sourceOf(row));
      // A source that was changed meanwhile is processed again.
      if (outcome === 'changed') continue;
      id = row.id;
      if (outcome !== 'current') report[outcome].push(row.name);
    }
  },
});

type Outcome = keyof RekeyReport | 'current' | 'changed';

async function reseal(db: Db, box: SecretBox, source: Source): Promise<Outcome> {
  const stored = [...Object.values(source.query), ...Object.values(source.headers)];
  if (!stored.some((field) => isOld(box, field))) return 'current';
  const fields = await resealedFields(box, source);
  if (!fields) return 'unreadable';
  return db.write(async (tx) => {
    const isUnchanged = and(eq(sources.id, source.id), eq(sources.version, source.version));
    const { definition } = columnsOf({ ...source, ...fields });
    const updated = await tx.orm.update(sources).set({ definition }).where(isUnchanged).returning();
    return updated.length > 0 ? 'resealed' : 'changed';
  });
}

function isOld(box: SecretBox, field: StoredField): boolean {
  return typeof field === 'object' && !box.isCurrent(field.sealed);
}

/** Returns undefined if no known key opens the secrets. */
async function resealedFields(box: SecretBox, source: Source) {
  try {
    return await sealedFields(box, { ...source, ...(await openedFields(box, source)) });
  } catch (error) {
    if (error instanceof AppError && error.code === 'secrets_unreadable') return undefined;
    throw error;
  }
}
