"""The page where people decide: the transcript with its segments, what is suggested, and why.

queue    where a segment stands for a coder, and which one comes next
answers  what an action appends to the decisions, and what taking it back appends
pages    what the templates show
orders   in which order one coder comes to segments, and which resemble an example
memos    what the page shows of memos
filters  which segments a coder wants to see
desk     what the page asks the store for one coder
learn    suggestions made anew in the background, from what people have decided
guard    who may come in
render   forms in, templates -> responses out
again    segments coded with a theme whose words have changed since
signs    a letter and a colour for each theme
shelf    the codebook as it is now
lists    routes that list transcripts, themes and segments
noting   routes where memos are written and looked up
filtering routes of the filter, and of links to a segment
revising routes where the codebook is changed, and of its history
accounts passwords and log-ins, where several people work on a study
seats    who sits at the page
team     who reads what, how far everybody is, where they disagree
rooms    the pages of a team: log in, the lead's view, comparing and settling
app      routes where segments are decided: parse, call the store, render
serve    the page on this machine, and only on purpose on others
address  where the page is found, the same at every start
"""

from .accounts import somebody_leads as somebody_leads
from .address import Address as Address
from .address import address_file as address_file
from .address import address_kept as address_kept
from .app import create_app as create_app
from .guard import FirstVisit as FirstVisit
from .learn import Learner as Learner
from .orders import Encoding as Encoding
from .orders import Order as Order
from .orders import Reviewer as Reviewer
from .orders import in_order as in_order
from .orders import like_text as like_text
from .orders import unexplained as unexplained
from .serve import ADDRESS as ADDRESS
from .serve import ASGIApp as ASGIApp
from .serve import free_port as free_port
from .serve import new_token as new_token
from .serve import serve as serve
