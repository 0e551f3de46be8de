'use strict';
/** A charging station made of ocpp-rpc in strict mode: every message is validated in both directions. */
const { RPCClient, createValidator } = require('ocpp-rpc');
const { run, say, tell } = require('./witness');

/**
 * The library's 2.1 schemas are named `urn:XRequest` and `urn:XResponse`, its look-up asks for `urn:X.req`
 * and `urn:X.conf`: the same schemas under the names that it looks for.
 */
function validator21() {
    const schemas = require('ocpp-rpc/lib/schemas/ocpp2_1.json');
    const renamed = schemas.map((schema) => ({
        ...schema,
        $id: schema.$id.replace(/Request$/, '.req').replace(/Response$/, '.conf'),
    }));
    return createValidator('ocpp2.1', renamed);
}

run(async ({ url, identity, password, version, story }) => {
    const client = new RPCClient({
        endpoint: url,
        identity,
        password,
        protocols: [`ocpp${version}`],
        strictMode: true,
        strictModeValidators: [validator21()],
        reconnect: false,
    });
    client.on('strictValidationFailure', ({ error }) => say({ invalid: error.message }));
    for (const action of ['RemoteStartTransaction', 'RequestStartTransaction']) {
        client.handle(action, ({ params }) => {
            say({ asked: action, payload: params });
            return { status: 'Accepted' };
        });
    }
    await client.connect();
    await tell(story, (action, payload) => client.call(action, payload));
});
