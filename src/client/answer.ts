import type { CodeOf, HutchError, NoAnswer } from './errors.ts';

export type SuccessStatus = 200 | 201 | 202 | 203 | 204 | 205 | 206 | 207 | 208 | 226;

/** The data of a success, by the statuses that a route declares. */
export type DataOf<Res> = Res[Extract<keyof Res, SuccessStatus>];

/** The errors of a route: one type per declared status, and status 0. */
export type ErrorOf<Res> =
  | {
      [Status in Extract<Exclude<keyof Res, SuccessStatus>, number>]: HutchError<
        Status,
        Res[Status],
        CodeOf<Res[Status]>
      >;
    }[Extract<Exclude<keyof Res, SuccessStatus>, number>]
  | NoAnswer;

/** The result of a call: `data`, or `error` with a `value` typed by its `status`. */
export type Answer<Res> =
  | { data: DataOf<Res>; error: null; response: Response; status: number; headers: Headers }
  | {
      data: null;
      error: ErrorOf<Res>;
      /** Null if no response arrived; then `status` is 0 and `headers` are empty. */
      response: Response | null;
      status: number;
      headers: Headers;
    };

/** The part of a result that `orThrow` needs. */
export interface Settled {
  data: unknown;
  error: unknown;
}

/** The data of a successful result. */
export type SettledData<A extends Settled> = Extract<A, { error: null }>['data'];

/** Returns the data of a result. Throws its error. */
export function orThrow<A extends Settled>(answer: Promise<A>): Promise<SettledData<A>>;
export function orThrow<A extends Settled>(answer: A): SettledData<A>;
export function orThrow(answer: Settled | Promise<Settled>): unknown {
  if (answer instanceof Promise) return answer.then((it) => orThrow(it));
  if (answer.error !== null) throw answer.error;
  return answer.data;
}

/** A result of any route. */
export type AnyAnswer =
  | { data: unknown; error: null; response: Response; status: number; headers: Headers }
  | {
      data: null;
      error: HutchError;
      response: Response | null;
      status: number;
      headers: Headers;
    };

export function succeeded(response: Response, data: unknown): AnyAnswer {
  const { status, headers } = response;
  return { data, error: null, response, status, headers };
}

export function failed(error: HutchError): AnyAnswer {
  const { response } = error;
  const [status, headers] = response ? [response.status, response.headers] : [0, new Headers()];
  return { data: null, error, response, status, headers };
}
