import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../../core/exceptions.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type AuthFlows, flowEnded } from '../auth/flows.ts';
import type { OutsideProfile } from './profile.ts';
import type { IdentityProvider, IdentityProviders } from './providers.ts';

/** Where an answer comes that a provider sends as a form. */
const FORM_PATH = '/api/v2/auth/identities/return';

export interface IdentityFlowsDeps {
  flows: AuthFlows;
  providers: IdentityProviders;
}

/** Who is asked, and where the browser is to come back: a page that keeps the flow. */
export interface Wish {
  provider: string;
  redirect_uri: string;
  /** Of this server, as browsers know it. */
  origin: string;
}

/** What the browser has after it came back. */
export interface OutsideAnswer {
  flow: string;
  code: string;
  state: string;
}

/** What a provider sends as a form. */
export interface FormAnswer {
  state: string;
  code?: string | undefined;
  error?: string | undefined;
}

/** What is kept between the two steps. */
interface Kept {
  provider: string;
  state: string;
  verifier: string;
  nonce: string;
  redirect_uri: string;
}

/**
 * Begins to ask a provider who somebody is: for a new session or, with `user_id`, for that
 * account. Throws not_found, upstream_failed.
 */
export async function beginOutside(
  { flows, providers }: IdentityFlowsDeps,
  { provider: name, redirect_uri, origin }: Wish,
  user_id: number | null,
): Promise<{ flow: string; authorization_url: string }> {
  const provider = providers.get(name);
  if (!provider) throw new AppError('not_found', 'No such provider is set up');
  const state = await newState(flows, provider, redirect_uri);
  const kept: Kept = {
    provider: name,
    state,
    verifier: newToken(),
    nonce: newToken(),
    redirect_uri: provider.returnsByForm ? `${origin}${FORM_PATH}` : redirect_uri,
  };
  const url = await provider.begin(kept);
  const flow = await flows.begin('oauth', user_id, JSON.stringify(kept));
  return { flow, authorization_url: url.href };
}

/**
 * Spends a flow, which must have been begun for the same `user_id`, and asks who came back.
 * Throws invalid_action_token, bad_credentials, upstream_failed.
 */
export async function finishOutside(
  { flows, providers }: IdentityFlowsDeps,
  { flow, code, state }: OutsideAnswer,
  user_id: number | null,
): Promise<{ provider: IdentityProvider; profile: OutsideProfile }> {
  const taken = await flows.take('oauth', flow);
  const kept = JSON.parse(taken.data) as Partial<Kept>;
  const provider = providers.get(kept.provider ?? '');
  if (taken.user_id !== user_id || !provider || !isSame(kept.state, state)) throw flowEnded();
  return { provider, profile: await provider.finish({ ...(kept as Kept), code }) };
}

/**
 * Where the browser goes on with an answer that came as a form: to the page that began. Throws
 * invalid_action_token for a state that is not waited for.
 */
export async function returnUrl(
  { flows }: IdentityFlowsDeps,
  { state, code, error }: FormAnswer,
): Promise<string> {
  const { return_to } = JSON.parse((await flows.take('oauth', state)).data) as Return;
  const url = return_to === undefined ? null : URL.parse(return_to);
  if (!url) throw flowEnded();
  if (code !== undefined) url.searchParams.set('code', code);
  if (error !== undefined) url.searchParams.set('error', error);
  url.searchParams.set('state', state);
  return url.href;
}

interface Return {
  return_to?: string;
}

/** A form comes without cookies or the flow: its state is a flow of its own, to find the page by. */
function newState(flows: AuthFlows, { returnsByForm }: IdentityProvider, return_to: string) {
  return returnsByForm ? flows.begin('oauth', null, JSON.stringify({ return_to })) : newToken();
}

function isSame(kept: string | undefined, given: string): boolean {
  if (kept === undefined) return false;
  return timingSafeEqual(Buffer.from(hashToken(kept)), Buffer.from(hashToken(given)));
}
