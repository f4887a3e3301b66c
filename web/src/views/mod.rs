//! Views: functions of data, one a file. They read the state and call back; they decide nothing.

pub mod page;

pub mod generation;
pub mod header;
pub mod model_menu;
pub mod prompt_bar;
pub mod token_cell;
pub mod token_strip;
pub mod transport;

pub mod capacity_lanes;
pub mod equation;
pub mod expectation;
pub mod lane_row;
pub mod layer_matrix;
pub mod matrix_stripe;
pub mod routing_controls;
pub mod rule_controls;
pub mod rule_note;
pub mod token_panel;

pub mod layer_table;
pub mod load_chart;
pub mod loss_chart;

pub mod badges;
pub mod chip;
pub mod fate_glyph;
pub mod findings;
pub mod help;
pub mod notice;
pub mod panel;
pub mod table;
pub mod tabs;
