/** How one generated client is made, compiled and run. */
export interface GeneratedClient {
  /** The commands that must be there; without them the client is skipped by name. */
  tools: string[];
  /** The file of programs/ that makes the calls, and where it belongs. */
  program: [from: string, to: string];
  /** The package of the generator, from Maven unless the script installs its own. */
  needsJar?: true;
  /** For sh, in a directory of its own. $DOC is the document, $JAR the generator, $TSC a compiler. */
  make: string;
  /** For sh; $URL is the server. */
  run: string;
  /** Languages without optional parameters: the argument lists are filled in from the signature. */
  fill?: (signature: (name: string) => number, program: string) => string;
  /** Where the signatures to fill in stand, by a pattern of the function. */
  signatures?: { file: string; pattern: (name: string) => RegExp };
}

const GENERATE =
  'java -XX:TieredStopAtLevel=1 -jar "$JAR" generate -i "$DOC" --global-property apiTests=false,modelTests=false,apiDocs=false,modelDocs=false';
const COMPILE =
  '"$TSC" --ignoreConfig --strict --noEmit --module preserve --target es2022 --lib es2024,dom,dom.iterable --types node --typeRoots "$TYPES"';
const PIP = 'venv/bin/pip install -q --disable-pip-version-check';
const QUIET = '> generate.log 2>&1';

/** Arguments with the conditions at their place and nothing at the others. */
function positional(count: number, at: number, conditions: string, none: string): string {
  const values = Array.from({ length: count }, (_, index) => (index === at ? conditions : none));
  return values.join(', ');
}

export const CLIENTS: Record<string, GeneratedClient> = {
  python: {
    tools: ['java', 'mvn', 'python3'],
    needsJar: true,
    program: ['python.py', 'main.py'],
    make: `${GENERATE} -g python -o client --additional-properties=packageName=hutch_client ${QUIET}
python3 -m venv venv && ${PIP} -r client/requirements.txt`,
    run: 'PYTHONPATH=client venv/bin/python main.py "$URL"',
  },
  go: {
    tools: ['java', 'mvn', 'go'],
    needsJar: true,
    program: ['main.go.txt', 'main.go'],
    make: `${GENERATE} -g go -o client --additional-properties=packageName=hutch,enumClassPrefix=true ${QUIET}
(cd client && sed -i 's#^module .*#module example.com/hutch#' go.mod && rm -rf test)
printf 'module example.com/caller\\n\\ngo 1.24\\n\\nrequire example.com/hutch v0.0.0\\n\\nreplace example.com/hutch => ./client\\n' > go.mod`,
    run: 'go mod tidy > tidy.log 2>&1 && go build -o caller . && ./caller "$URL"',
  },
  java: {
    tools: ['java', 'javac', 'mvn'],
    needsJar: true,
    program: ['Main.java.txt', 'Main.java'],
    signatures: {
      file: 'client/src/main/java/org/openapitools/client/api/ItemsApi.java',
      pattern: (name) => new RegExp(`public \\S+ ${name}\\(([^)]*)\\) throws`),
    },
    fill: (count, program) =>
      program
        .replace(
          '/* where */',
          positional(count('listItemsV2'), 8, 'List.of("tags eq wood", "owner_id eq me")', 'null'),
        )
        .replace('/* export */', positional(count('exportItems'), -1, '', 'null')),
    make: `${GENERATE} -g java --library native -o client ${QUIET}
(cd client && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=compile -DoutputDirectory=lib > maven.log 2>&1 || { grep ERROR maven.log; exit 1; })`,
    run: `javac -nowarn -d classes -cp 'client/lib/*' $(find client/src/main -name '*.java') Main.java 2> javac.log || { grep -A3 error javac.log; exit 1; }
java -cp 'classes:client/lib/*' Main "$URL"`,
  },
  rust: {
    tools: ['java', 'mvn', 'cargo', 'cc'],
    needsJar: true,
    program: ['main.rs.txt', 'client/src/main.rs'],
    signatures: {
      file: 'client/src/apis/items_api.rs',
      pattern: (name) => new RegExp(`pub async fn ${name}\\(configuration: [^,]*, ([^)]*)\\) ->`),
    },
    fill: (count, program) => {
      const conditions = 'Some(vec!["tags eq wood".into(), "owner_id eq me".into()])';
      return program
        .replace(' /* where */', `, ${positional(count('list_items_v2'), 8, conditions, 'None')}`)
        .replace(' /* export */', `, ${positional(count('export_items'), -1, '', 'None')}`);
    },
    make: `${GENERATE} -g rust -o client --additional-properties=packageName=hutch_client ${QUIET}
cat >> client/Cargo.toml <<'TOML'

[dependencies.tokio]
version = "1"
features = ["rt", "macros"]

[profile.dev]
debug = 0
TOML
sed -i 's/default = \\["native-tls"\\]/default = []/' client/Cargo.toml`,
    run: `(cd client && CARGO_TARGET_DIR=../../rust-target cargo build -q > ../cargo.log 2>&1) || { grep -A5 '^error' cargo.log | cut -c1-300; exit 1; }
../rust-target/debug/hutch_client "$URL"`,
  },
  'typescript-fetch': {
    tools: ['java', 'mvn'],
    needsJar: true,
    program: ['typescript-fetch.ts.txt', 'main.ts'],
    make: `${GENERATE} -g typescript-fetch -o client --additional-properties=modelPropertyNaming=original ${QUIET}`,
    run: `${COMPILE} main.ts && "$BUN" main.ts "$URL"`,
  },
  'openapi-python-client': {
    tools: ['python3'],
    program: ['httpx.py', 'main.py'],
    // It has no media type for lines of JSON: they are bytes.
    make: `printf 'content_type_overrides:\\n  application/x-ndjson: application/octet-stream\\n' > options.yaml
python3 -m venv venv && ${PIP} openapi-python-client==0.29.1
venv/bin/openapi-python-client generate --path "$DOC" --meta none --output-path hutch_httpx --overwrite --config options.yaml ${QUIET}`,
    run: 'venv/bin/python main.py "$URL"',
  },
  'hey-api': {
    tools: ['npm', 'node'],
    program: ['hey-api.ts.txt', 'main.ts'],
    make: `printf '{"private":true,"type":"module"}' > package.json
npm install --silent --no-audit --no-fund @hey-api/openapi-ts@0.99.0 typescript@5.9.3
npx openapi-ts -i "$DOC" -o client -c @hey-api/client-fetch ${QUIET}`,
    run: `${COMPILE} main.ts && "$BUN" main.ts "$URL"`,
  },
  'oapi-codegen': {
    tools: ['go'],
    program: ['oapi.go.txt', 'main.go'],
    make: `mkdir -p hutch
go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -package hutch -generate types,client -o hutch/hutch.go "$DOC" ${QUIET}
printf 'module example.com/oapi\\n\\ngo 1.24\\n\\nrequire github.com/oapi-codegen/runtime v1.9.0\\n' > go.mod`,
    run: 'go mod tidy > tidy.log 2>&1 && go build -o caller . && ./caller "$URL"',
  },
};
