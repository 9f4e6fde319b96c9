-- Lease up to n chats that have work, with the head of each and all of its state; leases that ran out go back first. (design: claim)
-- ARGV: worker, n, lease_ms, take back leases that ran out 0|1.  Returns a list of {c, token, member, score, chat fields, now}.
local worker, n, lease_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

for _, c in ipairs(redis.call('ZRANGE', shard('lease'), '-inf', lease_now, 'BYSCORE', 'LIMIT', 0, ARGV[4] == '1' and 50 or 0)) do
  local current = redis.call('HGET', key('chat', c), 'current')
  if current then redis.call('HINCRBY', key('chat', c), 'crashes:' .. current, 1) end
  release(c, now)
end

local claimed = {}
for _, c in ipairs(redis.call('ZRANGE', shard('ready'), '-inf', now, 'BYSCORE', 'LIMIT', 0, n)) do
  redis.call('ZREM', shard('ready'), c)
  if redis.call('HEXISTS', key('chat', c), 'joining') == 1 then -- until what another chat of theirs has comes here
    redis.call('ZADD', shard('ready'), now + 1000, c)
  elseif redis.call('EXISTS', key('mailbox', c)) == 1 then
    table.insert(claimed, lease_head(c, new_token(worker), lease_ms))
  end
end
return claimed
