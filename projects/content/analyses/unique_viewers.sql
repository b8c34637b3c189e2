select count(distinct user_id) as unique_viewers
from {{ source('bronze', 'media_events') }}
