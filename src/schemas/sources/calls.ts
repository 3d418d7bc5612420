import { t } from 'elysia';
import { Dictionary, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';
import { Params } from './sources.ts';

/** The parameters of a call. Their names are defined by its source. */
export const OpenQuery = Dictionary(t.String());

/** The response of a source: any JSON, or text. */
export const SourceData = t.Any();

export const DryRun = t.Object({ params: t.Optional(Params) }, { title: 'SourceDryRun' });

export const DryRunRequest = t.Object(
  {
    method: t.String({ examples: ['GET'] }),
    url: t.String({ examples: ['https://api.example.com/v1/forecast/Paris?key=***'] }),
    headers: Dictionary(t.String()),
    body: t.Optional(t.String()),
  },
  { title: 'SourceDryRunRequest' },
);

const Call = t.Object(
  {
    source: t.Optional(Text({ minLength: 1, maxLength: 64, examples: ['weather'] })),
    params: t.Optional(Params),
    url: t.Optional(
      Text({
        minLength: 1,
        maxLength: 2048,
        description: 'Instead of a source: a URL that returns JSON.',
      }),
    ),
  },
  { title: 'SourceCall' },
);

export const SourceFetch = t.Object(
  { calls: t.Array(Call, { minItems: 1, maxItems: 64 }) },
  { title: 'SourceFetch' },
);

const Result = t.Object(
  {
    status: t.Union([Integer(), t.Null()], { description: 'Status of the response.' }),
    data: t.Optional(t.Any()),
    error: t.Optional(t.Object({ code: t.String({ examples: ['timeout'] }), message: t.String() })),
    cache: t.Union([t.String({ examples: ['hit'] }), t.Null()]),
    elapsed_ms: Integer(),
    attempts: Integer({ description: '0 if nothing was sent.' }),
  },
  { title: 'SourceResult' },
);

export const SourceResults = t.Object(
  { results: t.Array(Result, { description: 'One for each call, in the same order.' }) },
  { title: 'SourceResults' },
);

const latency = t.Union([Integer(), t.Null()]);
const counts = {
  count: Integer(),
  errors: Dictionary(Integer(), { examples: [{ timeout: 2 }] }),
  cache: t.Object({
    hit: Integer(),
    miss: Integer(),
    stale: Integer(),
    revalidated: Integer(),
  }),
  latency_ms: t.Object(
    { p50: latency, p90: latency, p99: latency, max: latency },
    { description: 'For calls that waited for the source; at most 19% above the actual value.' },
  ),
};

export const SourceStats = t.Object(
  { ...counts, hours: t.Array(t.Object({ hour: Timestamp(), ...counts })) },
  { title: 'SourceStats' },
);

export const SourceStatsQuery = t.Object({
  hours: t.Optional(
    IntegerText({
      minimum: 1,
      maximum: 720,
      default: 24,
      description: 'Number of hours to report.',
    }),
  ),
});
