type Env = Readonly<Record<string, string | undefined>>;

const LINK = /^(tcp|udp|sctp):\/\/[^\s/]+:\d+$/;

/**
 * Returns the environment without the variables that Kubernetes creates in each pod for every Service
 * of its namespace, and Docker for a linked container. For a service whose name starts with `hutch`
 * they look like settings: HUTCH_SERVICE_HOST, or HUTCH_PORT=tcp://10.0.0.1:3000. Both name and value
 * must match, so that a misspelt setting is still reported.
 */
export function withoutServiceLinks(env: Env): Env {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value = '']) => !isServiceLink(name, value, env)),
  );
}

function isServiceLink(name: string, value: string, env: Env): boolean {
  if (/_SERVICE_HOST$/.test(name)) return /^[\da-f.:]+$/i.test(value);
  if (/_SERVICE_PORT(_\w+)?$/.test(name)) return /^\d+$/.test(value);
  if (/_PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)$/.test(name)) return true;
  const link = /^(\w+?)_(NAME|ENV_\w+)$/.exec(name)?.[1];
  if (link !== undefined && isDockerLink(link, env)) return true;
  return /_PORT(_\d+_(TCP|UDP|SCTP))?$/.test(name) && LINK.test(value);
}

/** True if Docker set the variables of a linked container: its name, as /this/alias, and its first port. */
function isDockerLink(link: string, env: Env): boolean {
  return /^\/[^/]+\/[^/]+$/.test(env[`${link}_NAME`] ?? '') && LINK.test(env[`${link}_PORT`] ?? '');
}
