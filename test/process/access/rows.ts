import { ITEM_ROWS } from './item-rows.ts';
import { JOB_ROWS } from './job-rows.ts';
import { SOURCE_ROWS } from './source-rows.ts';
import { WEBHOOK_ROWS } from './webhook-rows.ts';

/** The expected statuses of an operation by caller, and a valid request by `ada`. */
export interface Row {
  access: 'public' | 'optional' | 'user' | 'admin';
  /** The status for another active user, who may not see the private data of ada. */
  other: number;
  admin: number;
  /** The status without an account on an optional route; default: that of another user. */
  anonymous?: number;
  params?: Record<string, string | number>;
  query?: string;
  body?: Record<string, unknown>;
}

const PASSWORD = 'password123';
const item = { title: 'A warm hutch' };
let accounts = 0;

/** Returns a new account each time, so that calls do not conflict. */
function newAccount() {
  accounts++;
  return {
    email: `new${accounts}@example.com`,
    username: `new${accounts}`,
    password: 'straw-bed-7',
  };
}

/** One row per operation; test/process/access/matrix.test.ts fails for a missing one. */
export const ROWS: Record<string, () => Row> = {
  ...ITEM_ROWS,
  ...SOURCE_ROWS,
  ...JOB_ROWS,
  ...WEBHOOK_ROWS,
  getLive: () => ({ access: 'public', other: 200, admin: 200 }),
  getReady: () => ({ access: 'public', other: 200, admin: 200 }),
  createUser: () => ({ access: 'public', other: 200, admin: 200, body: newAccount() }),
  listUsers: () => ({ access: 'admin', other: 403, admin: 200 }),
  getUser: () => ({ access: 'user', other: 403, admin: 200, params: { user_id: 1 } }),
  createAccessToken: () => ({
    access: 'public',
    other: 200,
    admin: 200,
    body: { username: 'ada', password: PASSWORD },
  }),
  listItems: () => ({ access: 'public', other: 200, admin: 200 }),
  createItem: () => ({ access: 'user', other: 200, admin: 200, body: item }),
  listPopularItems: () => ({ access: 'public', other: 200, admin: 200 }),
  getItem: () => ({ access: 'public', other: 200, admin: 200, params: { item_id: 1 } }),
  updateItem: () => ({
    access: 'user',
    other: 403,
    admin: 200,
    params: { item_id: 1 },
    body: item,
  }),
  deleteItem: () => ({ access: 'user', other: 403, admin: 200, params: { item_id: 1 } }),
  fetchExternalData: () => ({
    access: 'user',
    other: 502,
    admin: 502,
    query: 'url=http://127.0.0.1/',
  }),
  getVersion: () => ({ access: 'public', other: 200, admin: 200 }),
  getStats: () => ({ access: 'admin', other: 403, admin: 200 }),
  register: () => ({ access: 'public', other: 201, admin: 201, body: newAccount() }),
  login: () => ({
    access: 'public',
    other: 200,
    admin: 200,
    body: { login: 'ada', password: PASSWORD },
  }),
  logout: () => ({ access: 'optional', other: 204, admin: 204 }),
  listSessions: () => ({ access: 'user', other: 200, admin: 200 }),
  endOtherSessions: () => ({ access: 'user', other: 200, admin: 200 }),
  endSession: () => ({ access: 'user', other: 404, admin: 404, params: { session_id: 1 } }),
  getMe: () => ({ access: 'user', other: 200, admin: 200 }),
  updateMe: () => ({
    access: 'user',
    other: 200,
    admin: 200,
    body: { username: newAccount().username },
  }),
  changePassword: () => ({
    access: 'user',
    other: 401,
    admin: 401,
    body: { current_password: 'not-the-one', new_password: 'straw-bed-7' },
  }),
  getMyUsage: () => ({ access: 'user', other: 200, admin: 200 }),
  exportMe: () => ({ access: 'user', other: 200, admin: 200 }),
  deleteMe: () => ({ access: 'user', other: 401, admin: 401, body: { password: 'not-the-one' } }),
  listTokens: () => ({ access: 'user', other: 200, admin: 200 }),
  createToken: () => ({
    access: 'user',
    other: 201,
    admin: 201,
    body: { name: 'script', scopes: ['items:read'], password: PASSWORD },
  }),
  deleteToken: () => ({ access: 'user', other: 404, admin: 404, params: { token_id: 1 } }),
  getTotp: () => ({ access: 'user', other: 200, admin: 200 }),
  beginTotp: () => ({ access: 'user', other: 401, admin: 401, body: { password: 'not-the-one' } }),
  confirmTotp: () => ({ access: 'user', other: 409, admin: 409, body: { code: '123456' } }),
  proveSecondFactor: () => ({ access: 'user', other: 409, admin: 409, body: { code: '123456' } }),
  disableTotp: () => ({
    access: 'user',
    other: 401,
    admin: 401,
    body: { password: 'not-the-one' },
  }),
  renewRecoveryCodes: () => ({
    access: 'user',
    other: 401,
    admin: 401,
    body: { password: 'not-the-one' },
  }),
  listPasskeys: () => ({ access: 'user', other: 200, admin: 200 }),
  // Passkeys need a domain name, which 127.0.0.1 is not; this check comes first.
  beginPasskey: () => ({
    access: 'user',
    other: 409,
    admin: 409,
    body: { password: 'not-the-one' },
  }),
  addPasskey: () => ({
    access: 'user',
    other: 409,
    admin: 409,
    body: { flow: 'x', name: 'laptop', response: {} },
  }),
  removePasskey: () => ({ access: 'user', other: 404, admin: 404, params: { passkey_id: 1 } }),
  beginPasskeyLogin: () => ({ access: 'public', other: 409, admin: 409 }),
  loginByPasskey: () => ({
    access: 'public',
    other: 409,
    admin: 409,
    body: { flow: 'x', response: {} },
  }),
  listProviders: () => ({ access: 'public', other: 200, admin: 200 }),
  // Like passkeys: at 127.0.0.1 the server has no name for the redirect back.
  beginIdentityLogin: () => ({
    access: 'public',
    other: 409,
    admin: 409,
    body: { provider: 'google' },
  }),
  loginByIdentity: () => ({
    access: 'public',
    other: 400,
    admin: 400,
    body: { flow: 'x', code: 'x', state: 'x' },
  }),
  returnFromProvider: () => ({ access: 'public', other: 400, admin: 400, body: { state: 'x' } }),
  listIdentities: () => ({ access: 'user', other: 200, admin: 200 }),
  beginIdentity: () => ({
    access: 'user',
    other: 409,
    admin: 409,
    body: { provider: 'google', password: 'not-the-one' },
  }),
  linkIdentity: () => ({
    access: 'user',
    other: 400,
    admin: 400,
    body: { flow: 'x', code: 'x', state: 'x' },
  }),
  unlinkIdentity: () => ({ access: 'user', other: 404, admin: 404, params: { identity_id: 1 } }),
  askVerification: () => ({ access: 'user', other: 202, admin: 202 }),
  confirmVerification: () => ({
    access: 'public',
    other: 400,
    admin: 400,
    body: { token: 'never-or-no-more' },
  }),
  askEmailChange: () => ({
    access: 'user',
    other: 401,
    admin: 401,
    body: { new_email: newAccount().email, password: 'not-the-one' },
  }),
  confirmEmailChange: () => ({
    access: 'public',
    other: 400,
    admin: 400,
    body: { token: 'never-or-no-more', password: PASSWORD },
  }),
  forgotPassword: () => ({ access: 'public', other: 202, admin: 202, body: { login: 'ada' } }),
  resetPassword: () => ({
    access: 'public',
    other: 400,
    admin: 400,
    body: { token: 'never-or-no-more', new_password: 'straw-bed-7' },
  }),
  listAccounts: () => ({ access: 'admin', other: 403, admin: 200 }),
  createAccount: () => ({ access: 'admin', other: 403, admin: 201, body: newAccount() }),
  getAccount: () => ({ access: 'admin', other: 403, admin: 200, params: { user_id: 1 } }),
  updateAccount: () => ({
    access: 'admin',
    other: 403,
    admin: 200,
    params: { user_id: 1 },
    body: { username: newAccount().username },
  }),
  deleteAccount: () => ({ access: 'admin', other: 403, admin: 204, params: { user_id: 1 } }),
  endAccountSessions: () => ({ access: 'admin', other: 403, admin: 200, params: { user_id: 1 } }),
  getAccountUsage: () => ({ access: 'admin', other: 403, admin: 200, params: { user_id: 1 } }),
  updateAccountUsage: () => ({
    access: 'admin',
    other: 403,
    admin: 200,
    params: { user_id: 1 },
    body: { items_limit: 5 },
  }),
  listAuditLog: () => ({ access: 'admin', other: 403, admin: 200 }),
};
