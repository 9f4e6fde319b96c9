-- Tell a chat what its contact decided: its field `consent` of all messages, `consent:<purpose>` of those of one. The latest decision
-- holds, in whatever order they come to be known; of two at one time the no.
-- ARGV: c, then purposes, each with when, negative for yes.  Returns the token of its lane, where that is leased, or ''
local chat = key('chat', ARGV[1])
for i = 2, #ARGV, 2 do
  local name, mark = ARGV[i] == 'all' and 'consent' or 'consent:' .. ARGV[i], tonumber(ARGV[i + 1])
  local known = tonumber(redis.call('HGET', chat, name) or '0')
  if math.abs(mark) > math.abs(known) or mark == -known and mark > 0 then
    redis.call('HSET', chat, name, int(mark))
    redis.call('PEXPIRE', chat, KEEP_CHAT)
  end
end
return redis.call('HGET', shard('lane:owner'), ARGV[1]) or ''
