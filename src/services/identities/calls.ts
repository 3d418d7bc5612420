import { AppError } from '../../core/exceptions.ts';
import type { Outbound, OutboundResponse } from '../../core/outbound/client.ts';
import { OutboundError } from '../../core/outbound/errors.ts';

/** RFC 6749, 5.2: the only words of a provider that the log may have. */
const OAUTH_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]);
/** Statuses of a token endpoint that says why it gives no token. */
const REFUSALS = [400, 401];

/** What went wrong with a provider, in words of our own. */
class ProviderFault extends Error {
  override readonly name = 'ProviderFault';
}

/** The calls to one provider of sign-in. */
export interface ProviderCalls {
  /** Runs `work` and throws upstream_failed for whatever it throws but an AppError. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** GETs JSON. Throws upstream_failed. */
  getJson(url: string, headers?: Record<string, string>): Promise<unknown>;
  /**
   * POSTs a form to a token endpoint and returns its JSON, that of a refusal (400, 401) too.
   * Throws upstream_failed.
   */
  postForm(
    url: string,
    form: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<TokenReply>;
}

export interface TokenReply {
  isRefusal: boolean;
  /** The members of the JSON object. */
  data: Record<string, unknown>;
}

/** Calls the provider known as `title`; what it said is shown to nobody. */
export function createProviderCalls(title: string, outbound: Pick<Outbound, 'call'>) {
  const owner = `provider ${title}`;
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof AppError) throw error;
      const cause = error instanceof ProviderFault ? error : new ProviderFault(reasonOf(error));
      throw new AppError('upstream_failed', `${title} did not answer as it should`, { cause });
    }
  };
  const calls: ProviderCalls = {
    run,
    getJson: (url, headers) => run(async () => (await outbound.call({ url, headers, owner })).data),
    postForm: (url, form, headers) =>
      run(async () => {
        const body = new URLSearchParams(form).toString();
        const type = { 'content-type': 'application/x-www-form-urlencoded' };
        const sent = { method: 'POST', headers: { ...type, ...headers }, body } as const;
        return tokenReply(await outbound.call({ url, ...sent, statuses: REFUSALS, owner }));
      }),
  };
  return calls;
}

function tokenReply({ status, data }: OutboundResponse): TokenReply {
  const isRefusal = REFUSALS.includes(status);
  const isObject = typeof data === 'object' && data !== null;
  if (!isObject) throw new ProviderFault(`It answered ${status} without a JSON object`);
  return { isRefusal, data: { ...data } };
}

/** For an answer that came and is not what it should be. */
export function fault(message: string): Error {
  return new ProviderFault(message);
}

/** For an OAuth error of the provider that is not its user's. */
export function oauthFault(code: unknown): Error {
  return new ProviderFault(
    OAUTH_ERRORS.has(String(code)) ? `It failed with ${code}` : 'It refused the request',
  );
}

/** The person is to blame, or whoever sent a code that is not his. */
export function refused(): AppError {
  return new AppError('bad_credentials', 'The sign-in was refused');
}

function reasonOf(error: unknown): string {
  if (error instanceof OutboundError) {
    const { status, code } = error;
    return status === undefined ? `It failed with ${code}` : `It answered ${status}`;
  }
  const { code } = error as { code?: unknown };
  const isOurs = /^[A-Z]\w{2,40}$/.test(String(code));
  return isOurs ? `It failed with ${code}` : 'It could not be reached or understood';
}
