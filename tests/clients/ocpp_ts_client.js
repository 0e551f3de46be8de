'use strict';
/** A charging station made of ocpp-ts, which speaks OCPP 1.6 and validates what it is asked. */
const { once } = require('events');
const { OcppClient } = require('ocpp-ts');
const { run, say, tell } = require('./witness');

run(async ({ url, identity, password, story }) => {
    const client = new OcppClient(identity);
    client.on('RemoteStartTransaction', (payload, answer) => {
        say({ asked: 'RemoteStartTransaction', payload });
        answer({ status: 'Accepted' });
    });
    const secret = Buffer.from(`${identity}:${password}`).toString('base64');
    client.connect(`${url}/`, { Authorization: `Basic ${secret}` });
    await once(client, 'connect');
    await tell(story, (action, payload) => client.callRequest(action, payload));
});
