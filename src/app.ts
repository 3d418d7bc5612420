import { Elysia } from 'elysia';
import { access } from './api/access.ts';
import { requireDeclaredAccess } from './api/access-rules.ts';
import { admission } from './api/admission.ts';
import { body } from './api/body.ts';
import { cors, preflight } from './api/cors.ts';
import { createDocsRoutes } from './api/docs.ts';
import { draining } from './api/draining.ts';
import { errors } from './api/errors.ts';
import { forwardedCheck } from './api/forwarded-check.ts';
import { framing, soundRequest } from './api/framing.ts';
import { createHealthRoutes } from './api/health.ts';
import { host } from './api/host.ts';
import { registerKinds } from './api/kinds.ts';
import { createOpenapiRoutes } from './api/openapi/index.ts';
import { createPageRoutes } from './api/pages.ts';
import { rateLimit } from './api/rate-limit.ts';
import { requestId } from './api/request-id.ts';
import { requestLog } from './api/request-log.ts';
import { requestTarget } from './api/request-target.ts';
import { secureHeaders } from './api/security-headers.ts';
import { successor } from './api/successor.ts';
import { v1 } from './api/v1/index.ts';
import { v2 } from './api/v2/index.ts';
import type { Deps } from './core/deps.ts';

/**
 * The whole application, not yet listening. Plugins come first: they apply to what follows. Throws
 * StartupError for a route that declares no access.
 */
export const createApp = (deps: Deps) => {
  registerKinds();
  const whole = () => app;
  const app = new Elysia({
    name: 'hutch',
    normalize: true,
    // A host may be a single letter: Elysia otherwise takes part of the path for it.
    handler: { standardHostname: false },
  })
    .use(requestTarget())
    .use(admission(deps, whole))
    .use(secureHeaders(deps))
    .use(requestId())
    .use(successor())
    .use(requestLog(deps.log))
    .use(draining(deps))
    .use(errors(deps, whole))
    .use(framing())
    .use(cors(deps))
    .use(forwardedCheck(deps, whole))
    .use(rateLimit(deps, whole))
    .use(soundRequest())
    .use(host(deps, whole))
    .use(preflight(deps, whole))
    .use(access(deps, whole))
    .use(body(deps, whole))
    .use(createHealthRoutes(deps))
    .use(createDocsRoutes(deps))
    .use(createPageRoutes(deps))
    .use(createOpenapiRoutes({ app: whole, registration: deps.config.registration }))
    .use(v1(deps))
    .use(v2(deps));
  requireDeclaredAccess(app);
  return app;
};

/** The type that the client is made from. */
export type App = ReturnType<typeof createApp>;
