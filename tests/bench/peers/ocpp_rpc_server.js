'use strict';
/**
 * An ocpp-rpc server in strict mode (every message is validated), without a database.
 * `node ocpp_rpc_server.js PORT`; handlers answer from memory.
 */
const { RPCServer } = require('ocpp-rpc');

const protocols = ['ocpp1.6', 'ocpp2.0.1'];
const server = new RPCServer({ protocols, strictMode: true });
const now = () => new Date().toISOString();
let transactions = 0;

server.auth((accept) => accept());
server.on('client', (client) => {
    client.handle('BootNotification', () => ({ status: 'Accepted', interval: 300, currentTime: now() }));
    client.handle('StatusNotification', () => ({}));
    client.handle('StartTransaction', () => {
        transactions += 1;
        return { transactionId: transactions, idTagInfo: { status: 'Accepted' } };
    });
    client.handle('MeterValues', () => ({}));
    client.handle('StopTransaction', () => ({}));
    client.handle('TransactionEvent', () => ({}));
});
process.on('SIGTERM', () => process.exit(0));
server.listen(Number(process.argv[2]), '127.0.0.1');
