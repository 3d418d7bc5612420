import { t } from 'elysia';
import { Integer, Text } from '../kinds.ts';

const code = Text({
  minLength: 6,
  maxLength: 80,
  description: 'A code of the authenticator or a recovery code. Spaces and dashes are ignored.',
  examples: ['123456'],
});

/** The optional second factor of a sign-in. */
export const SecondFactorCode = code;

export const TotpStatus = t.Object(
  { enabled: t.Boolean(), recovery_codes_left: Integer() },
  { title: 'TotpStatus' },
);
export const TotpSetup = t.Object(
  {
    secret: t.String({ examples: ['JBSWY3DPEHPK3PXP'] }),
    uri: t.String({ examples: ['otpauth://totp/Hutch:ada?secret=JBSWY3DPEHPK3PXP&issuer=Hutch'] }),
  },
  { title: 'TotpSetup' },
);
export const TotpConfirm = t.Object({ code }, { title: 'TotpConfirm' });
export const SecondFactorProof = t.Object({ code }, { title: 'SecondFactorProof' });
export const RecoveryCodes = t.Object(
  { recovery_codes: t.Array(t.String({ examples: ['k3j9dxr-7m2qhwb-p4nt8ev-c6ysr5g'] })) },
  { title: 'RecoveryCodes' },
);
export const PasswordProof = t.Object(
  { password: Text({ minLength: 1, maxLength: 128, examples: ['straw-and-carrots'] }) },
  { title: 'PasswordProof' },
);
