-- What a person decided: a ledger, the newest entry holds. (design 3.13)
-- ARGV: person, at ms or '' to read only, entry JSON.  Returns {state: when, negative for yes, or '0'; entries, newest first}
local ledger = key('consent', ARGV[1])
if ARGV[2] ~= '' then
  redis.call('ZADD', ledger, ARGV[2], ARGV[3]) -- the same entry again changes nothing
  redis.call('ZREMRANGEBYRANK', ledger, 0, -101)
end
local entries = redis.call('ZRANGE', ledger, 0, -1, 'REV', 'WITHSCORES')
if #entries == 0 then return {'0', {}} end
local out = cjson.decode(entries[1]).what == 'out'
return {int(out and tonumber(entries[2]) or -tonumber(entries[2])), entries}
