// The baseline in Node: Fastify 5 and pg 8 as one would write them. POST /orders is one transaction
// with an order and its items; no event, no outbox, no idempotency. Connection by PG* variables.
//
//     node fastify.js PORT
const { randomUUID } = require('crypto');
const app = require('fastify')({ logger: false });
const { Pool } = require('pg');

const pool = new Pool({ max: 10 });
const item = { type: 'object', properties: { menu_id: { type: 'integer' }, qty: { type: 'integer' } } };
const body = {
  type: 'object',
  required: ['customer_id', 'items'],
  properties: { customer_id: { type: 'string' }, items: { type: 'array', items: item } },
};

app.post('/orders', { schema: { body } }, async (request, reply) => {
  const client = await pool.connect();
  const id = randomUUID();
  try {
    await client.query('begin');
    await client.query('insert into orders (id, customer_id, status) values ($1, $2, 0)', [id, request.body.customer_id]);
    for (const line of request.body.items) {
      await client.query('insert into order_items (order_id, menu_id, qty) values ($1, $2, $3)', [id, line.menu_id, line.qty]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
  reply.code(201);
  return { id, status: 'placed' };
});

app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
