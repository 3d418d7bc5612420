import { availableParallelism } from 'node:os';
import {
  mailbox,
  networks,
  oneOf,
  origins,
  publicUrl,
  setting,
  text,
  wholeNumber,
} from './setting.ts';

/** The settings of accounts, sign-in, limits and mail. */
export const ACCOUNT_SETTINGS = {
  registration: setting(
    'HUTCH_REGISTRATION',
    'open',
    oneOf('open', 'closed'),
    'Who may create accounts: open (anyone) or closed (admins).',
  ),
  publicUrl: setting(
    'HUTCH_PUBLIC_URL',
    '',
    publicUrl,
    'Public base URL, such as https://api.example.com: for links in mails, cookies, allowed Host.',
  ),
  trustedProxies: setting<string[]>(
    'HUTCH_TRUSTED_PROXIES',
    [],
    networks,
    'Addresses or CIDR networks of proxies whose X-Forwarded-For is trusted.',
  ),
  corsOrigins: setting<string[]>(
    'HUTCH_CORS_ORIGINS',
    [],
    origins,
    'Origins whose pages may call the API, also with a session cookie, such as https://app.example.com.',
  ),
  emailVerification: setting(
    'HUTCH_EMAIL_VERIFICATION',
    'optional',
    oneOf('optional', 'required'),
    'required: users must confirm their email address before they can sign in.',
  ),
  sessionDays: setting('HUTCH_SESSION_DAYS', 30, wholeNumber(1, 3650), 'Life of a session.'),
  sessionIdleDays: setting(
    'HUTCH_SESSION_IDLE_DAYS',
    7,
    wholeNumber(1, 3650),
    'Days without use after which a session ends.',
  ),
  adminSessionHours: setting(
    'HUTCH_ADMIN_SESSION_HOURS',
    8,
    wholeNumber(1, 720),
    "Life of an admin's session.",
  ),
  adminSessionIdleMinutes: setting(
    'HUTCH_ADMIN_SESSION_IDLE_MINUTES',
    30,
    wholeNumber(1, 43_200),
    "Minutes without use after which an admin's session ends.",
  ),
  tokenDays: setting(
    'HUTCH_TOKEN_DAYS',
    365,
    wholeNumber(1, 365),
    'Longest life of a personal access token, in days; the default life is 90.',
  ),
  adminTokenDays: setting(
    'HUTCH_ADMIN_TOKEN_DAYS',
    90,
    wholeNumber(1, 365),
    "Longest life of an admin's personal access token, in days.",
  ),
  adminSecondFactor: setting(
    'HUTCH_ADMIN_SECOND_FACTOR',
    'auto',
    oneOf('auto', 'required', 'optional'),
    'Whether admins need an authenticator or a passkey; auto: required with HUTCH_PUBLIC_URL.',
  ),
  rateLimit: setting(
    'HUTCH_RATE_LIMIT',
    'on',
    oneOf('on', 'off'),
    'off removes all limits on requests and sign-ins: for load tests only.',
  ),
  limitRequests: setting(
    'HUTCH_LIMIT_REQUESTS',
    3000,
    wholeNumber(1, 1e9),
    'Requests per 10 seconds from one address (IPv6: one /64).',
  ),
  limitUserRequests: setting(
    'HUTCH_LIMIT_USER_REQUESTS',
    3000,
    wholeNumber(1, 1e9),
    'Requests per 10 seconds of one account, over all its sessions and tokens.',
  ),
  limitSignIns: setting(
    'HUTCH_LIMIT_SIGN_INS',
    5,
    wholeNumber(1, 1e9),
    'Failed sign-ins to one account from unknown devices per 15 minutes, before delays of 1 s … 15 min.',
  ),
  limitSignInsAddress: setting(
    'HUTCH_LIMIT_SIGN_INS_ADDRESS',
    50,
    wholeNumber(1, 1e9),
    'The same from one address, over all accounts.',
  ),
  limitSignUps: setting(
    'HUTCH_LIMIT_SIGN_UPS',
    20,
    wholeNumber(1, 1e9),
    'Accounts created per hour from one address.',
  ),
  limitMails: setting(
    'HUTCH_LIMIT_MAILS',
    5,
    wholeNumber(1, 1e9),
    'Mails per hour requested by one address or account, or sent to one mailbox.',
  ),
  limitExternal: setting(
    'HUTCH_LIMIT_EXTERNAL',
    300,
    wholeNumber(1, 1e9),
    'External URLs and sources that one account may call per minute.',
  ),
  limitListeners: setting(
    'HUTCH_LIMIT_LISTENERS',
    100,
    wholeNumber(1, 1e9),
    'Concurrent event streams to one address (IPv6: one /64).',
  ),
  smtpUrl: setting(
    'HUTCH_SMTP_URL',
    '',
    text(),
    'Mail server, such as smtp://user:password@mail.example.com:587; none: data/outbox.',
    { secret: true },
  ),
  mailFrom: setting(
    'HUTCH_MAIL_FROM',
    'hutch@localhost',
    mailbox,
    'Sender of mails: an address, or Name <address>; the default name is HUTCH_APP_NAME.',
  ),
  hashConcurrency: setting(
    'HUTCH_HASH_CONCURRENCY',
    availableParallelism(),
    wholeNumber(1, 64),
    'Passwords hashed concurrently (19 MiB and a core each); default: the number of cores.',
    { shown: '' },
  ),
  adminEmail: setting(
    'HUTCH_ADMIN_EMAIL',
    '',
    text(),
    'First admin, created at start; existing accounts are never changed.',
  ),
  adminUsername: setting('HUTCH_ADMIN_USERNAME', '', text(), 'First admin.'),
  adminPassword: setting('HUTCH_ADMIN_PASSWORD', '', text(), 'First admin.', { secret: true }),
};

/** Returns true if sessions of admins need a second factor. */
export function isAdminFactorRequired(config: {
  adminSecondFactor: 'auto' | 'required' | 'optional';
  publicUrl: string;
}): boolean {
  const { adminSecondFactor, publicUrl } = config;
  return adminSecondFactor === 'auto' ? publicUrl !== '' : adminSecondFactor === 'required';
}
