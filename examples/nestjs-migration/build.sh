#!/bin/sh
# Compiles the application into dist/.
#   build.sh [NODE [STAMP]]     STAMP is touched once dist/ is there
set -eu
cd "$(dirname "$0")"
if [ ! -f node_modules/typescript/bin/tsc ]; then
  echo "examples/nestjs-migration: TypeScript is not installed, so the example was not built. Run scripts/setup." >&2
  exit 0 # all else can be built without it; its tests fail
fi
# In an application of yours: npm install @gaur/runner. Here the package is in the same repository.
mkdir -p node_modules/@gaur
ln -sfn ../../../../packages/runner node_modules/@gaur/runner
"${1:-node}" node_modules/typescript/bin/tsc -p tsconfig.json
if [ $# -gt 1 ]; then touch "$2"; fi
