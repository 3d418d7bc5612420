import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { PASSWORD, type TestApp, testApp } from '../../support.ts';

/** The guide's service, case by case: what a client that was written for it sends and expects. */
interface Case {
  as?: 'ada' | 'bob' | 'root';
  send: string;
  json?: unknown;
  form?: Record<string, string>;
  status: number;
  /** The whole answer. */
  body?: unknown;
  /** A part of the answer. */
  has?: unknown;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const user = (id: number, username: string) => ({
  id,
  email: `${username}@example.com`,
  username,
  is_active: true,
  created_at: expect.stringMatching(TIME),
});
const item = (id: number, title: string, more: object = {}) => ({
  ...{ id, title, description: '', url: null, views: 0, owner_id: 1 },
  created_at: expect.stringMatching(TIME),
  updated_at: expect.stringMatching(TIME),
  ...more,
});
const problem = (type: string, ...loc: (string | number)[]) => ({
  detail: [{ type, loc, msg: expect.any(String) }],
});
const detail = (text: string) => ({ detail: text });
const eve = { email: 'eve@example.com', username: 'eve', password: PASSWORD };
const integer = { 'the word': 'x', 'a fraction': '1.5', 'hexadecimal digits': '0x1' };

const USERS: Record<string, Case> = {
  'create_user_route answers 200, not 201': {
    send: 'POST /users/',
    json: eve,
    status: 200,
    body: user(4, 'eve'),
  },
  'raises 400 for a registered email': {
    send: 'POST /users/',
    json: { ...eve, username: 'other' },
    status: 400,
    body: detail('Email already registered'),
  },
  'raises 400 for a registered username': {
    send: 'POST /users/',
    json: { ...eve, email: 'other@example.com' },
    status: 400,
    body: detail('Username already registered'),
  },
  'an EmailStr that is none is 422': {
    send: 'POST /users/',
    json: { ...eve, email: 'nobody' },
    status: 422,
    body: problem('value_error', 'body', 'email'),
  },
  'min_length=3 of username': {
    send: 'POST /users/',
    json: { ...eve, username: 'ab' },
    status: 422,
    body: problem('string_too_short', 'body', 'username'),
  },
  'max_length=50 of username': {
    send: 'POST /users/',
    json: { ...eve, username: 'a'.repeat(51) },
    status: 422,
    body: problem('string_too_long', 'body', 'username'),
  },
  'min_length=8 of password': {
    send: 'POST /users/',
    json: { ...eve, password: 'secret7' },
    status: 422,
    body: problem('string_too_short', 'body', 'password'),
  },
  'a field that is left out is missing': {
    send: 'POST /users/',
    json: { email: 'x@example.com', username: 'xyz' },
    status: 422,
    body: problem('missing', 'body', 'password'),
  },
  'is_active takes what is no bool for 422': {
    send: 'POST /users/',
    json: { ...eve, is_active: 'perhaps' },
    status: 422,
    body: problem('bool_parsing', 'body', 'is_active'),
  },
  'a body that is no JSON is 422': {
    send: 'POST /users/',
    json: undefined,
    status: 422,
    has: problem('json_invalid', 'body', 0),
  },
  'a body that is a list is 422': {
    send: 'POST /users/',
    json: [],
    status: 422,
    body: problem('model_attributes_type', 'body'),
  },
  'get_user_route answers the account': {
    as: 'ada',
    send: 'GET /users/1',
    status: 200,
    body: user(1, 'ada'),
  },
  'raises 404 for an account that is not there': {
    as: 'root',
    send: 'GET /users/999',
    status: 404,
    body: detail('User not found'),
  },
  'a user_id that is no int is 422': {
    as: 'root',
    send: 'GET /users/ada',
    status: 422,
    body: problem('int_parsing', 'path', 'user_id'),
  },
  'get_users takes skip and limit': {
    as: 'root',
    send: 'GET /users/?skip=1&limit=1',
    status: 200,
    body: [user(2, 'bob')],
  },
};

const ITEMS: Record<string, Case> = {
  'an item is made with defaults and no views': {
    as: 'ada',
    send: 'POST /items/',
    json: { title: 'c' },
    status: 200,
    body: item(3, 'c'),
  },
  'get_item gives the item and counts a view': {
    send: 'GET /items/1',
    status: 200,
    body: item(1, 'a', { views: 1 }),
  },
  "get_item's own 404 stays 404": {
    send: 'GET /items/999',
    status: 404,
    body: detail('Item 999 not found'),
  },
  'items come by id, skip and limit cut them': {
    send: 'GET /items/?skip=1&limit=1',
    status: 200,
    body: [item(2, 'b')],
  },
  'a skip below 0 is 422': {
    send: 'GET /items/?skip=-1',
    status: 422,
    body: problem('greater_than_equal', 'query', 'skip'),
  },
  'a limit over 100 is 422': {
    send: 'GET /items/?limit=101',
    status: 422,
    body: problem('less_than_equal', 'query', 'limit'),
  },
  'an unknown parameter is ignored': { send: 'GET /items/?page=7&limit=1', status: 200 },
  'get_popular_items gives the most viewed first': {
    send: 'GET /items/popular?limit=2',
    status: 200,
    body: [item(1, 'a', { views: 1 }), item(2, 'b')],
  },
  'its owner replaces an item': {
    as: 'ada',
    send: 'PUT /items/2',
    json: { title: 'b2', description: 'New.' },
    status: 200,
    body: item(2, 'b2', { description: 'New.' }),
  },
  'another user may not': {
    as: 'bob',
    send: 'PUT /items/2',
    json: { title: 'mine' },
    status: 403,
    body: detail('Not enough permissions'),
  },
  'an empty title is 422': {
    as: 'ada',
    send: 'PUT /items/2',
    json: { title: '' },
    status: 422,
    body: problem('string_too_short', 'body', 'title'),
  },
  'a deleted item is answered once more': {
    as: 'ada',
    send: 'DELETE /items/2',
    status: 200,
    body: item(2, 'b2', { description: 'New.' }),
  },
  'and is not found from then on': {
    send: 'GET /items/2',
    status: 404,
    body: detail('Item 2 not found'),
  },
};

const AROUND: Record<string, Case> = {
  'the OAuth2 form signs in': {
    send: 'POST /login/access-token',
    form: { username: 'ada', password: PASSWORD },
    status: 200,
    body: { access_token: expect.any(String), token_type: 'bearer' },
  },
  'a wrong password is 400': {
    send: 'POST /login/access-token',
    form: { username: 'ada', password: 'wrong' },
    status: 400,
    body: detail('Incorrect email or password'),
  },
  'nobody is 401': {
    send: 'POST /items/',
    json: { title: 'a' },
    status: 401,
    body: detail('Not authenticated'),
  },
  'fetch_external_data asks for a URL at least': {
    as: 'ada',
    send: 'GET /external/',
    status: 422,
    body: problem('missing', 'query', 'url'),
  },
  'an unknown path is 404': { send: 'GET /nowhere', status: 404, body: detail('Not Found') },
  'an unknown method is 405': {
    send: 'PATCH /items/1',
    status: 405,
    body: detail('Method Not Allowed'),
  },
};

let t: TestApp;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  t = await testApp();
  for (const name of ['ada', 'bob', 'root']) {
    tokens[name] = (await t.signUp(name, name === 'root' ? 'admin' : 'user')).token;
  }
  for (const title of ['a', 'b']) await t.json('POST', '/api/v1/items/', { title }, tokens['ada']);
});

afterAll(() => t[Symbol.asyncDispose]());

function call({ as, send, json, form }: Case): Promise<Response> {
  const [method = '', path = ''] = send.split(' ');
  const token = as && tokens[as];
  if (form) {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return t.request(method, `/api/v1${path}`, {
      headers,
      body: String(new URLSearchParams(form)),
    });
  }
  if (method === 'GET' || method === 'DELETE')
    return t.request(method, `/api/v1${path}`, { ...(token && { token }) });
  const headers = { 'content-type': 'application/json' };
  const body = json === undefined ? '{' : JSON.stringify(json);
  return t.request(method, `/api/v1${path}`, { headers, body, ...(token && { token }) });
}

// In this order, on one database: what one case does the next ones find.
describe.each(Object.entries({ users: USERS, items: ITEMS, around: AROUND }))('%s', (_, cases) => {
  test.each(Object.entries(cases))('%s', async (_, it) => {
    const answer = await call(it);
    const body = await answer.json();
    expect({ status: answer.status, body }).toMatchObject({ status: it.status });
    if (it.body !== undefined) expect(body).toEqual(it.body);
    if (it.has !== undefined) expect(body).toMatchObject(it.has as object);
  });
});

test.each(Object.entries(integer))('an item_id of %s is not an int', async (_, text) => {
  const answer = await t.request('GET', `/api/v1/items/${text}`);
  expect(await answer.json()).toEqual(problem('int_parsing', 'path', 'item_id'));
});

test.each(['/users', '/items'])('%s is served with and without its slash', async (path) => {
  const token = tokens['root'] ?? '';
  const [bare, slash] = [path, `${path}/`].map((it) => t.request('GET', `/api/v1${it}`, { token }));
  expect(await (await bare)?.text()).toBe((await (await slash)?.text()) ?? '');
});

test('an item has no field that the guide lacks', async () => {
  const { body } = { body: await (await t.request('GET', '/api/v1/items/1')).json() };
  expect(Object.keys(body as object).toSorted()).toEqual(Object.keys(item(1, 'a')).toSorted());
});
