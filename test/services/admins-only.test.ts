import { expect, test } from 'bun:test';
import { testApp } from '../support.ts';

type Method = (caller: { id: number; role: 'user' }, ...rest: unknown[]) => Promise<unknown>;

/** All service methods that only admins may call. */
function adminMethods({ deps }: Awaited<ReturnType<typeof testApp>>): [string, Method][] {
  const { adminUsers, auditLog, sources, systemStats, sourceStats, users } = deps;
  const { webhooks, webhookDeliveries } = deps;
  const all = { adminUsers, auditLog, sources, systemStats, webhooks, webhookDeliveries };
  const services = Object.entries(all);
  const methods = services.flatMap(([service, it]) =>
    Object.entries<unknown>(it).map(([name, method]) => [`${service}.${name}`, method]),
  );
  const others = [
    ['sourceStats.report', sourceStats.report],
    ['users.list', users.list],
  ];
  return [...methods, ...others] as [string, Method][];
}

// proves: permissions.each-route-declares-who-may-call-it-and, 8.2.1
test('forbidden: each service method for admins refuses other callers by itself', async () => {
  await using t = await testApp();
  const { id } = await t.signUp('ada');
  const outcomes = await Promise.all(
    adminMethods(t).map(async ([name, method]) => {
      const refusal = await method({ id, role: 'user' }, 1, {}, {}).catch((error) => error.code);
      return [name, refusal];
    }),
  );
  expect(Object.fromEntries(outcomes)).toEqual({
    'adminUsers.list': 'forbidden',
    'adminUsers.get': 'forbidden',
    'adminUsers.create': 'forbidden',
    'adminUsers.update': 'forbidden',
    'adminUsers.remove': 'forbidden',
    'adminUsers.endSessions': 'forbidden',
    'auditLog.list': 'forbidden',
    'sources.list': 'forbidden',
    'sources.get': 'forbidden',
    'sources.create': 'forbidden',
    'sources.update': 'forbidden',
    'sources.remove': 'forbidden',
    'sources.dryRun': 'forbidden',
    'systemStats.read': 'forbidden',
    'webhooks.list': 'forbidden',
    'webhooks.get': 'forbidden',
    'webhooks.create': 'forbidden',
    'webhooks.update': 'forbidden',
    'webhooks.rotateSecret': 'forbidden',
    'webhooks.remove': 'forbidden',
    'webhookDeliveries.list': 'forbidden',
    'webhookDeliveries.get': 'forbidden',
    'webhookDeliveries.test': 'forbidden',
    'webhookDeliveries.replay': 'forbidden',
    'sourceStats.report': 'forbidden',
    'users.list': 'forbidden',
  });
});

test('each of them refuses a user whom a wrongly declared route admitted', async () => {
  await using t = await testApp();
  const { token } = await t.signUp('ada');
  const wrong = t.app.routes.filter(({ hooks }) => hooks.detail.access === 'admin');
  for (const { hooks } of wrong) hooks.detail = { ...hooks.detail, access: 'user' };
  const reads = wrong.filter(({ method }) => method === 'GET').map(({ path }) => path);
  expect(reads.length).toBeGreaterThan(5);
  for (const path of reads) {
    const answer = await t.request('GET', path.replace(/:\w+/g, '1'), { token });
    expect(`${path} ${answer.status}`).toBe(`${path} 403`);
  }
});
