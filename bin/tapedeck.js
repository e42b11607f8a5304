#!/usr/bin/env node
require('../dist/bundle/chunks.cjs').load('cli.cjs');
