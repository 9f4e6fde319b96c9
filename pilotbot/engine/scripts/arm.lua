-- Set or forget follow-ups of many chats of the shard from outside a turn.
-- ARGV: for each: c, number, kind, address, name, due or '' to forget it, generation ('' or 'now'), payload.  Returns a list of 1|0
local done = {}
for i = 1, #ARGV, 8 do
  local c, due = ARGV[i], ARGV[i + 5]
  if due ~= '' then
    redis.call('HSET', key('chat', c), 'number', ARGV[i + 1], 'kind', ARGV[i + 2])
    redis.call('HSETNX', key('chat', c), 'address', ARGV[i + 3])
    redis.call('PEXPIRE', key('chat', c), KEEP_CHAT)
  end
  table.insert(done, set_timer(c, ARGV[i + 4], due, ARGV[i + 6], ARGV[i + 7], {}) and 1 or 0)
end
return done
