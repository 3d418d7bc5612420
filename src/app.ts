import { Elysia } from 'elysia';
import { createDocsRoutes } from './api/docs/docs.ts';
import { createHealthRoutes } from './api/health.ts';
import { createOpenapiRoutes } from './api/openapi/index.ts';
import { createPageRoutes } from './api/pages/pages.ts';
import { access } from './api/plugins/access.ts';
import { requireDeclaredAccess } from './api/plugins/access-rules.ts';
import { admission } from './api/plugins/admission.ts';
import { cors, preflight } from './api/plugins/cors.ts';
import { draining } from './api/plugins/draining.ts';
import { errors } from './api/plugins/errors.ts';
import { host } from './api/plugins/host.ts';
import { rateLimit } from './api/plugins/rate-limit.ts';
import { requestId } from './api/plugins/request-id.ts';
import { requestLog } from './api/plugins/request-log.ts';
import { secureHeaders } from './api/plugins/security-headers.ts';
import { successor } from './api/plugins/successor.ts';
import { body } from './api/request/body.ts';
import { framing, requestTarget, soundRequest } from './api/request/framing.ts';
import { forwardedCheck } from './api/request/origin.ts';
import { registerKinds } from './api/request/validation.ts';
import { v1 } from './api/v1/index.ts';
import { v2 } from './api/v2/index.ts';
import type { Deps } from './core/deps.ts';

/**
 * Creates the application without listening. Plugins are registered first, because they apply only
 * to later routes. Throws StartupError for a route that declares no access.
 */
export const createApp = (deps: Deps) => {
  registerKinds();
  const { definitions, config } = deps;
  const { registration } = config;
  const whole = () => app;
  const app = new Elysia({
    name: 'hutch',
    normalize: true,
    // Otherwise Elysia reads part of the path as the host if the host is a single letter.
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
    .use(createOpenapiRoutes({ app: whole, registration, definitions }))
    .use(v1(deps))
    .use(v2(deps));
  requireDeclaredAccess(app);
  return app;
};

/** The type from which the client is derived. */
export type App = ReturnType<typeof createApp>;
