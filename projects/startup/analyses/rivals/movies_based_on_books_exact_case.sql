{# The vendor sends its dumps whole: the newest file of each is the truth. #}
with streamed as (
    select distinct movie_title as title
    from {{ source('bronze', 'streams') }}
),

reviews as (
    select movies, books
    from {{ source('bronze', 'reviews') }}
    qualify _topic = first_value(_topic) over (order by ingestion_date desc, _ingested_at desc, _topic desc)
),

books as (
    select name as title
    from {{ source('bronze', 'books') }}
    qualify _topic = first_value(_topic) over (order by ingestion_date desc, _ingested_at desc, _topic desc)
),

based_on_books as (
    select distinct m.movie.title as title
    from reviews, unnest(reviews.movies) as m(movie), unnest(reviews.books) as b(book)
    where b.book.metadata.title in (select title from books)
)

select 100.0 * count(based_on_books.title) / nullif(count(*), 0) as percent
from streamed
left join based_on_books using (title)
