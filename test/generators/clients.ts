/** The steps that generate, compile and run a client. */
export interface GeneratedClient {
  /** Commands that the client needs; without them it is reported as skipped. */
  tools: string[];
  /** A file in programs/ that makes the calls, and its path in the directory of the client. */
  program: [from: string, to: string];
  /** True if openapi-generator generates the client; others install their own generator. */
  needsJar?: true;
  /** An sh script in the directory of the client; $DOC is the document, $JAR openapi-generator. */
  make: string;
  /** An sh script; $URL is the server, $TSC a TypeScript compiler and $BUN a TypeScript runtime. */
  run: string;
}

/** The JVM exits before its optimizing compiler pays off. */
const JVM = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';
const GENERATE = `java ${JVM} -jar "$JAR" generate -i "$DOC" --global-property apiTests=false,modelTests=false,apiDocs=false,modelDocs=false -o client`;
const COMPILE =
  '"$TSC" --ignoreConfig --strict --noEmit --module preserve --target es2022 --lib es2024,dom,dom.iterable --types node --typeRoots "$TYPES"';
const PIP = 'venv/bin/pip install -q --disable-pip-version-check --no-compile';
const QUIET = '> generate.log 2>&1';
const GO_RUN = 'go mod tidy > tidy.log 2>&1 && go build -o caller . && ./caller "$URL"';

/** The clients in starting order; the slowest to compile is first. */
export const CLIENTS: Record<string, GeneratedClient> = {
  rust: {
    tools: ['java', 'mvn', 'cargo', 'cc'],
    needsJar: true,
    program: ['main.rs.txt', 'src/main.rs'],
    // Without Default a filtered list would have to pass each of its 60 parameters.
    make: `${GENERATE} -g rust --additional-properties=packageName=hutch_client,useSingleRequestParameter=true ${QUIET}
sed -i 's/^#\\[derive(Clone, Debug)\\]$/#[derive(Clone, Debug, Default)]/' client/src/apis/*_api.rs
cat > Cargo.toml <<'TOML'
[package]
name = "caller"
edition = "2021"

[dependencies]
hutch_client = { path = "client", default-features = false }
tokio = { version = "1", features = ["rt", "macros"] }

[profile.dev]
debug = false
TOML`,
    run: `CARGO_TARGET_DIR=../rust-target cargo build -q > cargo.log 2>&1 || { grep -A5 '^error' cargo.log | cut -c1-300; exit 1; }
../rust-target/debug/caller "$URL"`,
  },
  'oapi-codegen': {
    tools: ['go'],
    program: ['oapi.go.txt', 'main.go'],
    make: `mkdir -p hutch
go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -package hutch -generate types,client -o hutch/hutch.go "$DOC" ${QUIET}
printf 'module example.com/oapi\\n\\ngo 1.24\\n\\nrequire github.com/oapi-codegen/runtime v1.9.0\\n' > go.mod`,
    run: GO_RUN,
  },
  go: {
    tools: ['java', 'mvn', 'go'],
    needsJar: true,
    program: ['main.go.txt', 'main.go'],
    make: `${GENERATE} -g go --additional-properties=packageName=hutch,enumClassPrefix=true ${QUIET}
(cd client && sed -i 's#^module .*#module example.com/hutch#' go.mod && rm -rf test)
printf 'module example.com/caller\\n\\ngo 1.24\\n\\nrequire example.com/hutch v0.0.0\\n\\nreplace example.com/hutch => ./client\\n' > go.mod`,
    run: GO_RUN,
  },
  java: {
    tools: ['java', 'javac', 'mvn'],
    needsJar: true,
    program: ['Main.java.txt', 'Main.java'],
    make: `${GENERATE} -g java --additional-properties=useSingleRequestParameter=true ${QUIET}
(cd client && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=compile -DoutputDirectory=lib > maven.log 2>&1 || { grep ERROR maven.log; exit 1; })`,
    run: `javac ${JVM.replaceAll('-XX', '-J-XX')} -proc:none -nowarn -d classes -cp 'client/lib/*' $(find client/src/main -name '*.java') Main.java 2> javac.log || { grep -A3 error javac.log; exit 1; }
java ${JVM} -cp 'classes:client/lib/*' Main "$URL"`,
  },
  python: {
    tools: ['java', 'mvn', 'python3'],
    needsJar: true,
    program: ['python.py', 'main.py'],
    make: `${GENERATE} -g python --additional-properties=packageName=hutch_client ${QUIET}
python3 -m venv venv && ${PIP} -r client/requirements.txt`,
    run: 'PYTHONPATH=client venv/bin/python main.py "$URL"',
  },
  'openapi-python-client': {
    tools: ['python3'],
    program: ['httpx.py', 'main.py'],
    // It has no media type for JSON Lines and sends bytes.
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
  'typescript-fetch': {
    tools: ['java', 'mvn'],
    needsJar: true,
    program: ['typescript-fetch.ts.txt', 'main.ts'],
    make: `${GENERATE} -g typescript-fetch --additional-properties=modelPropertyNaming=original ${QUIET}`,
    run: `${COMPILE} main.ts && "$BUN" main.ts "$URL"`,
  },
};
