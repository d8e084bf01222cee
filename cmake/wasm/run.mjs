// Runs a program for WebAssembly in Node: node run.mjs PROGRAM.wasm ARGUMENT...
// It sees this machine's files and environment.
import {readFileSync} from 'node:fs';
import {setFlagsFromString} from 'node:v8';
import {WASI} from 'node:wasi';

// V8 may call a function of C++ in a fast way, in which no garbage may be collected. But Node 20's
// functions of WASI do collect it, which crashes now and then (github.com/nodejs/node/issues/46777).
setFlagsFromString('--no-turbo-fast-api-calls');

const args = process.argv.slice(2);
const wasi = new WASI({version: 'preview1', args, env: process.env, preopens: {'/': '/'}, returnOnExit: true});
const program = new WebAssembly.Module(readFileSync(args[0]));
process.exitCode = wasi.start(new WebAssembly.Instance(program, wasi.getImportObject()));
// SPDX-License-Identifier: MIT
