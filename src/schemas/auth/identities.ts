import { t } from 'elysia';
import { Choice, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';

const provider = Text({ minLength: 1, maxLength: 50, examples: ['google'] });
const redirect_uri = t.Optional(
  Text({
    minLength: 1,
    maxLength: 2000,
    format: 'uri',
    description: 'The page that the browser returns to, of this server or of HUTCH_CORS_ORIGINS.',
    examples: ['https://app.example.com/sign-in'],
  }),
);

/** The parameters with which the browser returned, and the flow that it stored. */
const response = {
  flow: Text({
    minLength: 1,
    maxLength: 100,
    description: 'The flow that the first step returned.',
    examples: ['m4o2QfZ0Zl5Xv1yD0Qx6cG5w9b2sT8rJ3kLhPnEuVaI'],
  }),
  code: Text({ minLength: 1, maxLength: 8000 }),
  state: Text({ minLength: 1, maxLength: 200 }),
};

export const Providers = t.Object({
  data: t.Array(
    t.Object({
      name: t.String({ examples: ['google'] }),
      title: t.String({ examples: ['Google'] }),
    }),
  ),
});

export const IdentityAsk = t.Object({ provider, redirect_uri }, { title: 'IdentityAsk' });
export const IdentityLinkAsk = t.Object(
  {
    provider,
    redirect_uri,
    password: Text({ minLength: 1, maxLength: 128, examples: ['straw-and-carrots'] }),
  },
  { title: 'IdentityLinkAsk' },
);
export const IdentityOptions = t.Object(
  {
    flow: t.String(),
    authorization_url: t.String({ examples: ['https://accounts.google.com/o/oauth2/v2/auth?…'] }),
  },
  { title: 'IdentityOptions' },
);

export const IdentityLogin = t.Object(
  {
    ...response,
    transport: t.Optional(Choice('Transport', ['bearer', 'cookie'])),
  },
  { title: 'IdentityLogin' },
);
export const IdentityCreate = t.Object(response, { title: 'IdentityCreate' });

/** The form of Apple, which may add fields. */
export const IdentityReturn = t.Object(
  {
    state: response.state,
    code: t.Optional(response.code),
    error: t.Optional(Text({ minLength: 1, maxLength: 200 })),
  },
  { title: 'IdentityReturn', additionalProperties: true },
);

export const OutsideIdentity = t.Object(
  {
    id: Integer(),
    provider: t.String({ examples: ['google'] }),
    email: t.Union([t.String(), t.Null()]),
    created_at: Timestamp(),
  },
  { title: 'OutsideIdentity' },
);
export const OutsideIdentities = t.Object({ data: t.Array(OutsideIdentity) });
export const IdentityParams = t.Object({
  identity_id: IntegerText({ minimum: 1, description: 'The id of a linked identity.' }),
});
