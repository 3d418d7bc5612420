const STREAM_NOTE =
  '**This page cannot display a stream.** Read it with `curl -N`, `EventSource` or the client.';

/** Values for required parameters, so that Execute works at once. */
const EXAMPLES = {
  item_id: await publicItemId(),
  user_id: 1,
  job_id: 1,
  webhook_id: 1,
  delivery_id: 1,
  id: 1,
  name: 'weather',
  url: ['https://api.github.com/repos/oven-sh/bun'],
};

window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  // Otherwise Swagger UI sends the document's address to a service of its own.
  validatorUrl: null,
  operationsSorter: (a, b) => versionOf(b.get('path')) - versionOf(a.get('path')),
  plugins: [adaptDocument, withoutExecuteForStreams],
});

/** Changes the displayed document; /openapi.json itself is unchanged. */
function adaptDocument() {
  const updateJsonSpec = (original) => (spec) => {
    for (const operations of Object.values(spec.paths)) {
      for (const operation of Object.values(operations)) adaptOperation(operation);
    }
    return original(spec);
  };
  return { statePlugins: { spec: { wrapActions: { updateJsonSpec } } } };
}

function adaptOperation(operation) {
  if (isStream(operation)) {
    operation.description = [STREAM_NOTE, operation.description].filter(Boolean).join('\n\n');
  }
  // `where` accepts every filter; dozens of equivalent fields would bury it.
  const shown = operation.parameters?.filter(({ name }) => !name.startsWith('filter['));
  if (!shown) return;
  for (const parameter of shown) {
    if (parameter.required && parameter.name in EXAMPLES) {
      parameter.example ??= EXAMPLES[parameter.name];
    }
  }
  operation.parameters = shown;
}

/** Removes Execute, which would wait for the end of an endless response. */
function withoutExecuteForStreams() {
  const wrapOperation =
    (Original, { React }) =>
    (props) => {
      const { operation } = props;
      const isEndless = isStream(operation.get('op')?.toJS() ?? {});
      const changed = isEndless
        ? operation.set('allowTryItOut', false).set('tryItOutEnabled', false)
        : operation;
      return React.createElement(Original, { ...props, operation: changed });
    };
  return { wrapComponents: { operation: wrapOperation } };
}

function isStream({ responses = {} }) {
  return 'text/event-stream' in (responses['200']?.content ?? {});
}

function versionOf(path) {
  return Number(/^\/api\/v(\d+)\//.exec(path)?.[1] ?? 0);
}

/** Returns the id of a public item, or 1. */
async function publicItemId() {
  try {
    const response = await fetch('/api/v2/items?limit=1&fields=title');
    const { data } = await response.json();
    return data[0]?.id ?? 1;
  } catch {
    return 1;
  }
}
