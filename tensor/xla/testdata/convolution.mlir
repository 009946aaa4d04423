module @likely {
  func.func @main(%arg0: tensor<2x6x7x6xf32>, %arg1: tensor<3x3x3x8xf32>) -> (tensor<2x6x7x6xf32>, tensor<3x3x3x8xf32>) {
    %0 = "stablehlo.convolution"(%arg0, %arg1) {window_strides = array<i64: 1, 2>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 2 : i64, batch_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<2x6x7x6xf32>, tensor<3x3x3x8xf32>) -> tensor<2x6x4x8xf32>
    %1 = "stablehlo.constant"() {value = dense<1.0e+00> : tensor<f32>} : () -> tensor<f32>
    %2 = "stablehlo.reshape"(%1) : (tensor<f32>) -> tensor<1x1x1x1xf32>
    %3 = "stablehlo.broadcast_in_dim"(%2) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x1x1x1xf32>) -> tensor<2x6x4x8xf32>
    %4 = "stablehlo.multiply"(%3, %0) : (tensor<2x6x4x8xf32>, tensor<2x6x4x8xf32>) -> tensor<2x6x4x8xf32>
    %5 = "stablehlo.multiply"(%3, %0) : (tensor<2x6x4x8xf32>, tensor<2x6x4x8xf32>) -> tensor<2x6x4x8xf32>
    %6 = "stablehlo.add"(%4, %5) : (tensor<2x6x4x8xf32>, tensor<2x6x4x8xf32>) -> tensor<2x6x4x8xf32>
    %7 = "stablehlo.reverse"(%arg1) {dimensions = array<i64: 0, 1>} : (tensor<3x3x3x8xf32>) -> tensor<3x3x3x8xf32>
    %8 = "stablehlo.reshape"(%7) : (tensor<3x3x3x8xf32>) -> tensor<3x3x3x2x4xf32>
    %9 = "stablehlo.transpose"(%8) {permutation = array<i64: 0, 1, 4, 3, 2>} : (tensor<3x3x3x2x4xf32>) -> tensor<3x3x4x2x3xf32>
    %10 = "stablehlo.reshape"(%9) : (tensor<3x3x4x2x3xf32>) -> tensor<3x3x4x6xf32>
    %11 = "stablehlo.convolution"(%6, %10) {window_strides = array<i64: 1, 1>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 2>, rhs_dilation = array<i64: 1, 1>, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 2 : i64, batch_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<2x6x4x8xf32>, tensor<3x3x4x6xf32>) -> tensor<2x6x7x6xf32>
    %12 = "stablehlo.convolution"(%arg0, %6) {window_strides = array<i64: 1, 1>, padding = dense<[[1, 1], [1, 1]]> : tensor<2x2xi64>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 2>, dimension_numbers = #stablehlo.conv<[f, 0, 1, b]x[i, 0, 1, o]->[0, 1, b, f]>, feature_group_count = 1 : i64, batch_group_count = 2 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<2x6x7x6xf32>, tensor<2x6x4x8xf32>) -> tensor<3x3x3x8xf32>
    "func.return"(%11, %12) : (tensor<2x6x7x6xf32>, tensor<3x3x3x8xf32>) -> ()
  }
}
