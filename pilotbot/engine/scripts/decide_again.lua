-- A message that the platform refused late for the window: shut the window, and queue the content once more. (design 3.5)
-- What answers is not said into a chat that a person has by now.
-- ARGV: c, inbound at the pin, new item.  Returns {'ok'|'dup'|'full'|'skip', notes}
local c, notes = ARGV[1], {}
if redis.call('HEXISTS', key('chat', c), 'number') == 0 then return {'dup', notes} end -- the contact was forgotten
if not remember(c, 'item:' .. header_of(ARGV[3]).id, now + REMEMBER) then return {'dup', notes} end
if ARGV[2] ~= '' and redis.call('HGET', key('chat', c), 'in') == ARGV[2] then redis.call('HSET', key('chat', c), 'shut', ARGV[2]) end
local head = header_of(ARGV[3])
if head.b ~= 1 and has_human(redis.call('HGET', key('chat', c), 'human')) then
  note(notes, 'skip', c, head.id, 'handed-over')
  return {'skip', notes}
end
return {push_or_bury(c, {ARGV[3]}, notes) and 'ok' or 'full', notes}
