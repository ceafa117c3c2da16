#!/bin/sh
# Compiles the package into dist/ anew.
#   build.sh [NODE [STAMP]]     STAMP is touched once dist/ is there
set -eu
cd "$(dirname "$0")"
if [ ! -f node_modules/typescript/bin/tsc ]; then
  echo "packages/runner: TypeScript is not installed, so @gaur/runner was not built. Run scripts/setup." >&2
  exit 0 # all else can be built without it; its tests fail
fi
rm -rf dist.part
"${1:-node}" node_modules/typescript/bin/tsc -p tsconfig.json --outDir dist.part
chmod +x dist.part/cli.js
# One step from old to new, so that a runner that starts meanwhile finds a whole package.
rm -rf dist.old
if [ -d dist ]; then mv dist dist.old; fi
mv dist.part dist
rm -rf dist.old
if [ $# -gt 1 ]; then touch "$2"; fi
