-- Notices for other chats that a commit staged. ARGV: 'due', older_ms, n -> {id, payload, ...} | 'done', id... -> count
if ARGV[1] == 'done' then
  local n = 0
  for i = 2, #ARGV do
    n = n + redis.call('ZREM', shard('relay'), ARGV[i])
    redis.call('HDEL', shard('relay:items'), ARGV[i])
  end
  return n
end
local due = {}
for _, id in ipairs(redis.call('ZRANGE', shard('relay'), '-inf', now - tonumber(ARGV[2]), 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[3]))) do
  local payload = redis.call('HGET', shard('relay:items'), id)
  if payload then
    table.insert(due, id)
    table.insert(due, payload)
  else
    redis.call('ZREM', shard('relay'), id)
  end
end
return due
