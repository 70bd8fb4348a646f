import { expect, test } from 'vitest'
import { EventStreamParser } from './sse'

test('events come out whole however the stream is cut', () => {
  const stream =
    ': ping\n\nevent: call.started\ndata: {"id":1}\n\nevent: call.ended\r\ndata: a\r\ndata: b\r\n\r\ndata: c\n\n'
  for (let size = 1; size <= stream.length; size++) {
    const parser = new EventStreamParser()
    const events = []
    for (let at = 0; at < stream.length; at += size) events.push(...parser.push(stream.slice(at, at + size)))
    expect(events, `pieces of ${size}`).toEqual([
      { event: 'call.started', data: '{"id":1}' },
      { event: 'call.ended', data: 'a\nb' },
      { event: 'message', data: 'c' },
    ])
  }
})
