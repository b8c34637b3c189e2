with views as (
    select
        campaignId as campaign_id,
        case
            when endTimestamp >= startTimestamp
                then (epoch_us(endTimestamp) - epoch_us(startTimestamp)) / 1e6
        end as duration_seconds
    from {{ source('bronze', 'view_log_events') }}
    qualify row_number() over (partition by viewId order by _topic, _topic_partition, _offset) = 1
)

select
    campaigns.network_id,
    views.campaign_id,
    campaigns.campaign_name,
    count(*) as views,
    avg(duration_seconds) as mean_duration_seconds
from views
left join {{ ref('campaigns') }} as campaigns using (campaign_id)
group by all
order by network_id nulls last, views.campaign_id
