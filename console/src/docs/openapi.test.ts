import { expect, test } from 'vitest'
import { type Document, exampleOf, groups, limits, resolve, typeOf } from './openapi'

const document: Document = {
  info: { title: 'Test', version: '1' },
  paths: {
    '/v1/calls/{id}': {
      parameters: [{ $ref: '#/components/parameters/id' }],
      get: { tags: ['calls'], operationId: 'show', responses: {} },
      delete: { responses: {} },
    },
  },
  components: {
    parameters: { id: { name: 'id', in: 'path', required: true } },
    schemas: {
      Call: {
        type: 'object',
        properties: {
          id: { type: 'string', example: 'call_1' },
          ended: { oneOf: [{ type: 'null' }, { $ref: '#/components/schemas/End' }] },
          before: { $ref: '#/components/schemas/Call' },
        },
      },
      End: { type: 'string', enum: ['silence', 'failure'] },
    },
  },
}

test('operations are grouped by tag, with the parameters of their path', () => {
  const [calls, others] = groups(document)
  expect(calls?.entries.map((entry) => [entry.id, entry.parameters[0]?.name])).toEqual([['show', 'id']])
  expect(others?.entries[0]?.id).toBe('delete-v1-calls-id')
})

test('a type is told in few words', () => {
  expect(typeOf({ type: ['string', 'null'], format: 'date-time' })).toBe('string (date-time) | null')
  expect(typeOf({ type: 'array', items: { $ref: '#/components/schemas/Call' } })).toBe('array of Call')
  expect(typeOf({ oneOf: [{ type: 'null' }, { $ref: '#/components/schemas/End' }] })).toBe('null | End')
  expect(typeOf({ enum: ['live', 'ended'] })).toBe('"live" | "ended"')
  expect(limits({ type: 'integer', minimum: 1, maximum: 200, default: 50 })).toEqual([
    'at least 1',
    'at most 200',
    '50 if nothing is said',
  ])
})

test('an example is put together, and one that goes round in circles ends', () => {
  const call = resolve<object>(document, { $ref: '#/components/schemas/Call' })
  expect(exampleOf(document, call ?? {})).toMatchObject({ id: 'call_1', ended: 'silence' })
  expect(resolve(document, { $ref: '#/components/schemas/Nobody' })).toBeNull()
})
