import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../../core/exceptions.ts';
import type { Links } from '../../core/links.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type AuthFlows, flowEnded } from '../auth/flows.ts';
import type { AuthorizationRequest, ProviderProfile } from './client.ts';
import type { IdentityProvider, IdentityProviders } from './providers.ts';

export interface IdentityFlowsDeps {
  flows: AuthFlows;
  links: Pick<Links, 'identityReturn'>;
  providers: IdentityProviders;
}

/** The start of a flow: the provider, and the page that the browser returns to. */
export interface IdentityRequest {
  provider: string;
  redirect_uri: string;
  /** This server as browsers know it. */
  origin: string;
}

/** The parameters with which the browser returns, and the flow that its page stored. */
export interface IdentityResponse {
  flow: string;
  code: string;
  state: string;
}

/** The response of a provider that posts a form. */
export interface FormResponse {
  state: string;
  code?: string | undefined;
  error?: string | undefined;
}

/** The stored state of a flow. */
type FlowState = AuthorizationRequest & { provider: string };

/** The stored state that leads from a posted form back to its page. */
interface ReturnState {
  return_to?: string;
}

/** The two steps of identifying a user through a provider. */
export const createIdentityFlows = ({ flows, links, providers }: IdentityFlowsDeps) => {
  /** A posted form has neither cookies nor the flow: its state is a flow that leads to the page. */
  const newState = ({ returnsByForm }: IdentityProvider, return_to: string) =>
    returnsByForm ? flows.begin('oauth', null, JSON.stringify({ return_to })) : newToken();

  return {
    /**
     * Starts a flow, for a new session or, with `user_id`, for that account. Throws not_found,
     * upstream_failed.
     */
    begin: async (
      { provider: name, redirect_uri, origin }: IdentityRequest,
      user_id: number | null,
    ): Promise<{ flow: string; authorization_url: string }> => {
      const provider = providers.get(name);
      if (!provider) throw new AppError('not_found', 'No such provider is configured');
      const state: FlowState = {
        provider: name,
        state: await newState(provider, redirect_uri),
        verifier: newToken(),
        nonce: newToken(),
        redirect_uri: provider.returnsByForm ? links.identityReturn(origin) : redirect_uri,
      };
      const url = await provider.begin(state);
      const flow = await flows.begin('oauth', user_id, JSON.stringify(state));
      return { flow, authorization_url: url.href };
    },

    /**
     * Spends a flow, which must have been started for the same `user_id`, and returns the profile of
     * the user. Throws invalid_action_token, bad_credentials, upstream_failed.
     */
    finish: async (
      { flow, code, state }: IdentityResponse,
      user_id: number | null,
    ): Promise<{ provider: IdentityProvider; profile: ProviderProfile }> => {
      const taken = await flows.take('oauth', flow);
      const stored = JSON.parse(taken.data) as Partial<FlowState>;
      const provider = providers.get(stored.provider ?? '');
      if (taken.user_id !== user_id || !provider || !isSame(stored.state, state)) throw flowEnded();
      return { provider, profile: await provider.finish({ ...(stored as FlowState), code }) };
    },

    /**
     * Returns the URL of the page that started the flow, with the parameters of a posted form.
     * Throws invalid_action_token for an unknown state.
     */
    returnUrl: async ({ state, code, error }: FormResponse): Promise<string> => {
      const { return_to } = JSON.parse((await flows.take('oauth', state)).data) as ReturnState;
      const url = return_to === undefined ? null : URL.parse(return_to);
      if (!url) throw flowEnded();
      if (code !== undefined) url.searchParams.set('code', code);
      if (error !== undefined) url.searchParams.set('error', error);
      url.searchParams.set('state', state);
      return url.href;
    },
  };
};

function isSame(stored: string | undefined, sent: string): boolean {
  if (stored === undefined) return false;
  return timingSafeEqual(Buffer.from(hashToken(stored)), Buffer.from(hashToken(sent)));
}
