import { t } from 'elysia';
import { Choice, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';

const flow = Text({
  minLength: 1,
  maxLength: 100,
  description: 'The flow that the first step returned.',
  examples: ['m4o2QfZ0Zl5Xv1yD0Qx6cG5w9b2sT8rJ3kLhPnEuVaI'],
});

/** The JSON of WebAuthn, as browsers read and write it; the WebAuthn library validates it. */
const webauthn = t.Record(t.String(), t.Any());

export const PasskeyOptions = t.Object(
  { flow: t.String(), options: webauthn },
  { title: 'PasskeyOptions' },
);
export const PasskeyCreate = t.Object(
  { flow, name: Text({ minLength: 1, maxLength: 100, examples: ['laptop'] }), response: webauthn },
  { title: 'PasskeyCreate' },
);
export const PasskeyLogin = t.Object(
  {
    flow,
    response: webauthn,
    transport: t.Optional(Choice('Transport', ['bearer', 'cookie'])),
  },
  { title: 'PasskeyLogin' },
);

export const Passkey = t.Object(
  {
    id: Integer(),
    name: t.String(),
    created_at: Timestamp(),
    last_used_at: t.Union([t.String(), t.Null()]),
  },
  { title: 'Passkey' },
);
export const Passkeys = t.Object({ data: t.Array(Passkey) });
export const PasskeyParams = t.Object({
  passkey_id: IntegerText({ minimum: 1, description: 'The id of a passkey of the account.' }),
});
