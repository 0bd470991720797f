#!/bin/sh
# Rebuilds everything under static/ that comes from npm. Run by hand (make css) after templates
# gained a Tabler class or an icon; the result is committed, so running the portal needs no Node.
set -eu
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
node build.mjs
