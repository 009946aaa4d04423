// Times a network in ONNX Runtime: a contestant of `go run ./bench`; child.go says which lines it reads and writes.
//
//     node run.js --model model.onnx --input x.float32 --threads 1
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const { parseArgs } = require('node:util');
const ort = require('onnxruntime-node');

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    input: { type: 'string' }, // elements of the network's one input, little-endian float32
    threads: { type: 'string', default: '1' },
    version: { type: 'boolean' },
  },
});

// A figure of this process's memory in kB, where the system has /proc.
function residentKB(what) {
  if (!fs.existsSync('/proc/self/status')) {
    return 0;
  }
  const found = fs.readFileSync('/proc/self/status', 'utf8').match(new RegExp(`${what}:\\s*(\\d+) kB`));
  return found ? Number(found[1]) : 0;
}

function median(x) {
  return x.sort((a, b) => a - b)[x.length >> 1];
}

// Milliseconds of single runs, for about the given time and at least one, after a short warm-up.
async function timeRuns(run, seconds) {
  const timed = async () => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
  for (let n = 0, spent = 0; n === 0 || (n < 5 && spent < 200 * seconds); n++) {
    spent += await timed();
  }
  const times = [];
  for (const end = performance.now() + 1000 * seconds; times.length === 0 || performance.now() < end; ) {
    times.push(await timed());
  }
  return times;
}

async function main() {
  const start = residentKB('VmRSS');
  const session = await ort.InferenceSession.create(options.model, {
    intraOpNumThreads: Number(options.threads),
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  });
  const bytes = fs.readFileSync(options.input);
  const elements = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const feeds = { x: new ort.Tensor('float32', elements, session.inputMetadata[0].shape) };
  const run = () => session.run(feeds);
  const outputs = Array.from((await run())[session.outputNames[0]].data);
  console.log(JSON.stringify({ outputs }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const times = await timeRuns(run, parseFloat(line));
    console.log(JSON.stringify({ median_ms: median(times) }));
  }
  console.log(JSON.stringify({ start_kb: start, peak_kb: residentKB('VmHWM') }));
}

if (options.version) {
  console.log(require('onnxruntime-node/package.json').version);
} else {
  main();
}
