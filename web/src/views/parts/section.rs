//! A part of a view that is drawn again only when what it is drawn from has changed. The picture of a long text is many
//! such parts, of which a step changes few.

use std::any::Any;
use std::rc::Rc;

use yew::prelude::*;

use crate::state::Action;
use crate::views::parts::speaking::use_tongue;

/// What a part is drawn from. Equal ones draw the same, and comparing them costs less than drawing.
pub trait Part: PartialEq + 'static {
    fn draw(&self) -> Html;
}

/// One of many that stand in a row: a token, a slot.
pub trait Cell: PartialEq + 'static {
    fn draw(&self, dispatch: &Callback<Action>) -> Html;
}

/// Cells that are drawn together.
const PER_PART: usize = 16;

/// The part in its place; `key` tells it from its neighbours.
pub fn section(key: usize, part: impl Part) -> Html {
    let part: Rc<dyn AnyPart> = Rc::new(part);
    html! { <Section key={key} part={part} /> }
}

/// A row of cells: those of a part that did not change are only compared.
pub fn row<C: Cell>(cells: impl IntoIterator<Item = C>, dispatch: &Callback<Action>) -> Html {
    let mut cells = cells.into_iter();
    let next = || Some(cells.by_ref().take(PER_PART).collect()).filter(|cells: &Vec<C>| !cells.is_empty());
    let parts = std::iter::from_fn(next).enumerate();
    html! { <>{ for parts.map(|(number, cells)| section(number, Row { cells, dispatch: dispatch.clone() })) }</> }
}

#[derive(PartialEq)]
struct Row<C> {
    cells: Vec<C>,
    dispatch: Callback<Action>,
}

impl<C: Cell> Part for Row<C> {
    fn draw(&self) -> Html {
        html! { <>{ for self.cells.iter().map(|cell| cell.draw(&self.dispatch)) }</> }
    }
}

/// Any part. One component draws them all, so that there is the code of one component.
trait AnyPart {
    fn draw(&self) -> Html;
    fn is_same(&self, other: &dyn AnyPart) -> bool;
    fn as_any(&self) -> &dyn Any;
}

impl<P: Part> AnyPart for P {
    fn draw(&self) -> Html {
        Part::draw(self)
    }

    fn is_same(&self, other: &dyn AnyPart) -> bool {
        other.as_any().downcast_ref::<P>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[derive(Properties)]
struct SectionProps {
    part: Rc<dyn AnyPart>,
}

impl PartialEq for SectionProps {
    fn eq(&self, other: &SectionProps) -> bool {
        self.part.is_same(&*other.part)
    }
}

#[component]
fn Section(props: &SectionProps) -> Html {
    use_tongue();
    props.part.draw()
}
