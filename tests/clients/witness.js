'use strict';
/**
 * What the clients in JavaScript share: one line of JSON in, one line for each thing that happened out,
 * the end when the input is closed. Knows no OCPP library.
 */
const readline = require('readline');

const TRANSACTION = '{transactionId}';

function say(what) {
    process.stdout.write(`${JSON.stringify(what)}\n`);
}

/** Tell a story: `call(action, payload)` sends one and resolves to its answer. */
async function tell(story, call) {
    let transaction = 0;
    for (const [action, payload] of story) {
        if (payload.transactionId === TRANSACTION) payload.transactionId = transaction;
        const answer = await call(action, payload);
        transaction = answer.transactionId ?? transaction;
        say({ did: action, answer });
    }
    say({ told: true });
}

/** Read the order and carry it out; whatever goes wrong ends the process with code 1. */
function run(carryOut) {
    const lines = readline.createInterface({ input: process.stdin });
    const fail = (error) => {
        process.stderr.write(`${error.stack ?? error}\n`);
        process.exit(1);
    };
    process.on('unhandledRejection', fail);
    lines.once('line', (line) => carryOut(JSON.parse(line)).catch(fail));
    lines.once('close', () => process.exit(0));
}

module.exports = { run, say, tell };
