{# A record that stands in several files counts once, as in the newest of them. #}
with streams as (
    select epoch_us(end_at) - epoch_us(start_at) as duration_us
    from {{ source('bronze', 'streams') }}
    qualify row_number() over (
        partition by lower(user_email), lower(movie_title), start_at
        order by ingestion_date desc, _ingested_at desc, _topic desc, _offset desc
    ) = 1
)

select avg(duration_us) / 3.6e9 as hours
from streams
where duration_us >= 0
