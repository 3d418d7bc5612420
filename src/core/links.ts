/** The paths of the pages that mails link to; each page uses the token of its link. */
export const LINK_PAGES = {
  verifyEmail: '/verify',
  resetPassword: '/reset',
  changeEmail: '/confirm-email',
} as const;
/** The route to which a provider posts its response as a form. */
const IDENTITY_RETURN = '/api/v2/auth/identities/return';

/** Absolute links to this server, for mails and for the providers of sign-in. */
export interface Links {
  verifyEmail(token: string): string;
  resetPassword(token: string): string;
  changeEmail(token: string): string;
  /** `origin` is this server as browsers know it. */
  identityReturn(origin: string): string;
}

/**
 * Builds links. Tokens follow `#`, so that no server, proxy or scanner sees them. `listening` has the
 * port of the server once it listens.
 */
export function createLinks(
  { publicUrl, host }: { publicUrl: string; host: string },
  listening: { port: number },
): Links {
  const linkTo = (page: string) => (token: string) =>
    `${baseUrl({ publicUrl, host, port: listening.port })}${page}#token=${token}`;
  return {
    verifyEmail: linkTo(LINK_PAGES.verifyEmail),
    resetPassword: linkTo(LINK_PAGES.resetPassword),
    changeEmail: linkTo(LINK_PAGES.changeEmail),
    identityReturn: (origin) => `${origin}${IDENTITY_RETURN}`,
  };
}

/** The base URL of links: never the Host header, which a request can forge. */
function baseUrl(config: { publicUrl: string; host: string; port: number }): string {
  if (config.publicUrl !== '') return config.publicUrl;
  const isAny = config.host === '0.0.0.0' || config.host === '::';
  const host = isAny ? 'localhost' : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${config.port}`;
}
