{# A record that stands in several files counts once, as in the newest of them. #}
with streams as (
    select size_mb
    from {{ source('bronze', 'streams') }}
    qualify row_number() over (
        partition by lower(user_email), lower(movie_title), start_at
        order by ingestion_date desc, _ingested_at desc, _topic desc, _offset desc
    ) = 1
)

select median(size_mb) / 1024 as gigabytes
from streams
