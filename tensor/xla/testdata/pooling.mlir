module @likely {
  func.func @main(%arg0: tensor<2x7x5x3xf32>) -> (tensor<2x4x3x3xf32>, tensor<2x7x5x3xf32>) {
    %0 = "stablehlo.iota"() {iota_dimension = 0 : i64} : () -> tensor<105xi32>
    %1 = "stablehlo.reshape"(%0) : (tensor<105xi32>) -> tensor<1x7x5x3xi32>
    %2 = "stablehlo.constant"() {value = dense<0.0e+00> : tensor<f32>} : () -> tensor<f32>
    %3 = "stablehlo.pad"(%arg0, %2) {edge_padding_low = array<i64: 0, 1, 1, 0>, edge_padding_high = array<i64: 0, 1, 1, 0>, interior_padding = array<i64: 0, 0, 0, 0>} : (tensor<2x7x5x3xf32>, tensor<f32>) -> tensor<2x9x7x3xf32>
    %4 = "stablehlo.constant"() {value = dense<-1> : tensor<i32>} : () -> tensor<i32>
    %5 = "stablehlo.pad"(%1, %4) {edge_padding_low = array<i64: 0, 1, 1, 0>, edge_padding_high = array<i64: 0, 1, 1, 0>, interior_padding = array<i64: 0, 0, 0, 0>} : (tensor<1x7x5x3xi32>, tensor<i32>) -> tensor<1x9x7x3xi32>
    %6 = "stablehlo.slice"(%3) {start_indices = array<i64: 0, 0, 0, 0>, limit_indices = array<i64: 2, 7, 5, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<2x9x7x3xf32>) -> tensor<2x4x3x3xf32>
    %7 = "stablehlo.slice"(%5) {start_indices = array<i64: 0, 0, 0, 0>, limit_indices = array<i64: 1, 7, 5, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<1x9x7x3xi32>) -> tensor<1x4x3x3xi32>
    %8 = "stablehlo.broadcast_in_dim"(%7) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %9 = "stablehlo.constant"() {value = dense<0> : tensor<2x4x3x3xi32>} : () -> tensor<2x4x3x3xi32>
    %10 = "stablehlo.slice"(%3) {start_indices = array<i64: 0, 0, 1, 0>, limit_indices = array<i64: 2, 7, 6, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<2x9x7x3xf32>) -> tensor<2x4x3x3xf32>
    %11 = "stablehlo.slice"(%5) {start_indices = array<i64: 0, 0, 1, 0>, limit_indices = array<i64: 1, 7, 6, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<1x9x7x3xi32>) -> tensor<1x4x3x3xi32>
    %12 = "stablehlo.broadcast_in_dim"(%11) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %13 = "stablehlo.compare"(%10, %6) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %14 = "stablehlo.compare"(%10, %6) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %15 = "stablehlo.compare"(%10, %10) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %16 = "stablehlo.compare"(%6, %6) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %17 = "stablehlo.not"(%16) : (tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %18 = "stablehlo.and"(%15, %17) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %19 = "stablehlo.or"(%13, %18) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %20 = "stablehlo.and"(%15, %16) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %21 = "stablehlo.or"(%14, %20) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %22 = "stablehlo.compare"(%12, %9) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %23 = "stablehlo.compare"(%8, %9) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %24 = "stablehlo.or"(%19, %23) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %25 = "stablehlo.and"(%22, %24) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %26 = "stablehlo.select"(%25, %10, %6) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
    %27 = "stablehlo.select"(%25, %12, %8) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %28 = "stablehlo.slice"(%3) {start_indices = array<i64: 0, 0, 2, 0>, limit_indices = array<i64: 2, 7, 7, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<2x9x7x3xf32>) -> tensor<2x4x3x3xf32>
    %29 = "stablehlo.slice"(%5) {start_indices = array<i64: 0, 0, 2, 0>, limit_indices = array<i64: 1, 7, 7, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<1x9x7x3xi32>) -> tensor<1x4x3x3xi32>
    %30 = "stablehlo.broadcast_in_dim"(%29) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %31 = "stablehlo.compare"(%28, %26) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %32 = "stablehlo.compare"(%28, %26) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %33 = "stablehlo.compare"(%28, %28) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %34 = "stablehlo.compare"(%26, %26) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %35 = "stablehlo.not"(%34) : (tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %36 = "stablehlo.and"(%33, %35) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %37 = "stablehlo.or"(%31, %36) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %38 = "stablehlo.and"(%33, %34) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %39 = "stablehlo.or"(%32, %38) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %40 = "stablehlo.compare"(%30, %9) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %41 = "stablehlo.compare"(%27, %9) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %42 = "stablehlo.or"(%37, %41) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %43 = "stablehlo.and"(%40, %42) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %44 = "stablehlo.select"(%43, %28, %26) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
    %45 = "stablehlo.select"(%43, %30, %27) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %46 = "stablehlo.slice"(%3) {start_indices = array<i64: 0, 1, 0, 0>, limit_indices = array<i64: 2, 8, 5, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<2x9x7x3xf32>) -> tensor<2x4x3x3xf32>
    %47 = "stablehlo.slice"(%5) {start_indices = array<i64: 0, 1, 0, 0>, limit_indices = array<i64: 1, 8, 5, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<1x9x7x3xi32>) -> tensor<1x4x3x3xi32>
    %48 = "stablehlo.broadcast_in_dim"(%47) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %49 = "stablehlo.compare"(%46, %44) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %50 = "stablehlo.compare"(%46, %44) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %51 = "stablehlo.compare"(%46, %46) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %52 = "stablehlo.compare"(%44, %44) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %53 = "stablehlo.not"(%52) : (tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %54 = "stablehlo.and"(%51, %53) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %55 = "stablehlo.or"(%49, %54) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %56 = "stablehlo.and"(%51, %52) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %57 = "stablehlo.or"(%50, %56) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %58 = "stablehlo.compare"(%48, %9) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %59 = "stablehlo.compare"(%45, %9) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %60 = "stablehlo.or"(%55, %59) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %61 = "stablehlo.and"(%58, %60) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %62 = "stablehlo.select"(%61, %46, %44) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
    %63 = "stablehlo.select"(%61, %48, %45) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %64 = "stablehlo.slice"(%3) {start_indices = array<i64: 0, 1, 1, 0>, limit_indices = array<i64: 2, 8, 6, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<2x9x7x3xf32>) -> tensor<2x4x3x3xf32>
    %65 = "stablehlo.slice"(%5) {start_indices = array<i64: 0, 1, 1, 0>, limit_indices = array<i64: 1, 8, 6, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<1x9x7x3xi32>) -> tensor<1x4x3x3xi32>
    %66 = "stablehlo.broadcast_in_dim"(%65) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %67 = "stablehlo.compare"(%64, %62) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %68 = "stablehlo.compare"(%64, %62) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %69 = "stablehlo.compare"(%64, %64) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %70 = "stablehlo.compare"(%62, %62) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %71 = "stablehlo.not"(%70) : (tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %72 = "stablehlo.and"(%69, %71) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %73 = "stablehlo.or"(%67, %72) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %74 = "stablehlo.and"(%69, %70) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %75 = "stablehlo.or"(%68, %74) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %76 = "stablehlo.compare"(%66, %9) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %77 = "stablehlo.compare"(%63, %9) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %78 = "stablehlo.or"(%73, %77) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %79 = "stablehlo.and"(%76, %78) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %80 = "stablehlo.select"(%79, %64, %62) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
    %81 = "stablehlo.select"(%79, %66, %63) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %82 = "stablehlo.slice"(%3) {start_indices = array<i64: 0, 1, 2, 0>, limit_indices = array<i64: 2, 8, 7, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<2x9x7x3xf32>) -> tensor<2x4x3x3xf32>
    %83 = "stablehlo.slice"(%5) {start_indices = array<i64: 0, 1, 2, 0>, limit_indices = array<i64: 1, 8, 7, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<1x9x7x3xi32>) -> tensor<1x4x3x3xi32>
    %84 = "stablehlo.broadcast_in_dim"(%83) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %85 = "stablehlo.compare"(%82, %80) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %86 = "stablehlo.compare"(%82, %80) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %87 = "stablehlo.compare"(%82, %82) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %88 = "stablehlo.compare"(%80, %80) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %89 = "stablehlo.not"(%88) : (tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %90 = "stablehlo.and"(%87, %89) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %91 = "stablehlo.or"(%85, %90) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %92 = "stablehlo.and"(%87, %88) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %93 = "stablehlo.or"(%86, %92) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %94 = "stablehlo.compare"(%84, %9) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %95 = "stablehlo.compare"(%81, %9) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %96 = "stablehlo.or"(%91, %95) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %97 = "stablehlo.and"(%94, %96) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %98 = "stablehlo.select"(%97, %82, %80) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
    %99 = "stablehlo.select"(%97, %84, %81) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %100 = "stablehlo.slice"(%3) {start_indices = array<i64: 0, 2, 0, 0>, limit_indices = array<i64: 2, 9, 5, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<2x9x7x3xf32>) -> tensor<2x4x3x3xf32>
    %101 = "stablehlo.slice"(%5) {start_indices = array<i64: 0, 2, 0, 0>, limit_indices = array<i64: 1, 9, 5, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<1x9x7x3xi32>) -> tensor<1x4x3x3xi32>
    %102 = "stablehlo.broadcast_in_dim"(%101) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %103 = "stablehlo.compare"(%100, %98) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %104 = "stablehlo.compare"(%100, %98) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %105 = "stablehlo.compare"(%100, %100) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %106 = "stablehlo.compare"(%98, %98) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %107 = "stablehlo.not"(%106) : (tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %108 = "stablehlo.and"(%105, %107) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %109 = "stablehlo.or"(%103, %108) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %110 = "stablehlo.and"(%105, %106) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %111 = "stablehlo.or"(%104, %110) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %112 = "stablehlo.compare"(%102, %9) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %113 = "stablehlo.compare"(%99, %9) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %114 = "stablehlo.or"(%109, %113) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %115 = "stablehlo.and"(%112, %114) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %116 = "stablehlo.select"(%115, %100, %98) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
    %117 = "stablehlo.select"(%115, %102, %99) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %118 = "stablehlo.slice"(%3) {start_indices = array<i64: 0, 2, 1, 0>, limit_indices = array<i64: 2, 9, 6, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<2x9x7x3xf32>) -> tensor<2x4x3x3xf32>
    %119 = "stablehlo.slice"(%5) {start_indices = array<i64: 0, 2, 1, 0>, limit_indices = array<i64: 1, 9, 6, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<1x9x7x3xi32>) -> tensor<1x4x3x3xi32>
    %120 = "stablehlo.broadcast_in_dim"(%119) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %121 = "stablehlo.compare"(%118, %116) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %122 = "stablehlo.compare"(%118, %116) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %123 = "stablehlo.compare"(%118, %118) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %124 = "stablehlo.compare"(%116, %116) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %125 = "stablehlo.not"(%124) : (tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %126 = "stablehlo.and"(%123, %125) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %127 = "stablehlo.or"(%121, %126) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %128 = "stablehlo.and"(%123, %124) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %129 = "stablehlo.or"(%122, %128) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %130 = "stablehlo.compare"(%120, %9) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %131 = "stablehlo.compare"(%117, %9) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %132 = "stablehlo.or"(%127, %131) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %133 = "stablehlo.and"(%130, %132) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %134 = "stablehlo.select"(%133, %118, %116) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
    %135 = "stablehlo.select"(%133, %120, %117) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %136 = "stablehlo.slice"(%3) {start_indices = array<i64: 0, 2, 2, 0>, limit_indices = array<i64: 2, 9, 7, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<2x9x7x3xf32>) -> tensor<2x4x3x3xf32>
    %137 = "stablehlo.slice"(%5) {start_indices = array<i64: 0, 2, 2, 0>, limit_indices = array<i64: 1, 9, 7, 3>, strides = array<i64: 1, 2, 2, 1>} : (tensor<1x9x7x3xi32>) -> tensor<1x4x3x3xi32>
    %138 = "stablehlo.broadcast_in_dim"(%137) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %139 = "stablehlo.compare"(%136, %134) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %140 = "stablehlo.compare"(%136, %134) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %141 = "stablehlo.compare"(%136, %136) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %142 = "stablehlo.compare"(%134, %134) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xi1>
    %143 = "stablehlo.not"(%142) : (tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %144 = "stablehlo.and"(%141, %143) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %145 = "stablehlo.or"(%139, %144) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %146 = "stablehlo.and"(%141, %142) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %147 = "stablehlo.or"(%140, %146) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %148 = "stablehlo.compare"(%138, %9) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %149 = "stablehlo.compare"(%135, %9) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi1>
    %150 = "stablehlo.or"(%145, %149) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %151 = "stablehlo.and"(%148, %150) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi1>) -> tensor<2x4x3x3xi1>
    %152 = "stablehlo.select"(%151, %136, %134) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xf32>, tensor<2x4x3x3xf32>) -> tensor<2x4x3x3xf32>
    %153 = "stablehlo.select"(%151, %138, %135) : (tensor<2x4x3x3xi1>, tensor<2x4x3x3xi32>, tensor<2x4x3x3xi32>) -> tensor<2x4x3x3xi32>
    %154 = "stablehlo.reshape"(%arg0) : (tensor<2x7x5x3xf32>) -> tensor<2x105xf32>
    %155 = "stablehlo.reshape"(%153) : (tensor<2x4x3x3xi32>) -> tensor<2x36xi32>
    %156 = "stablehlo.reshape"(%154) : (tensor<2x105xf32>) -> tensor<2x105x1xf32>
    %157 = "stablehlo.iota"() {iota_dimension = 0 : i64} : () -> tensor<2x36x1xi32>
    %158 = "stablehlo.reshape"(%155) : (tensor<2x36xi32>) -> tensor<2x36x1xi32>
    %159 = "stablehlo.concatenate"(%157, %158) {dimension = 2 : i64} : (tensor<2x36x1xi32>, tensor<2x36x1xi32>) -> tensor<2x36x2xi32>
    %160 = "stablehlo.gather"(%156, %159) {dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0, 1], start_index_map = [0, 1], index_vector_dim = 2>, slice_sizes = array<i64: 1, 1, 1>, indices_are_sorted = false} : (tensor<2x105x1xf32>, tensor<2x36x2xi32>) -> tensor<2x36x1xf32>
    %161 = "stablehlo.constant"() {value = dense<0> : tensor<2x36xi32>} : () -> tensor<2x36xi32>
    %162 = "stablehlo.compare"(%155, %161) {comparison_direction = #stablehlo<comparison_direction GE>} : (tensor<2x36xi32>, tensor<2x36xi32>) -> tensor<2x36xi1>
    %163 = "stablehlo.constant"() {value = dense<105> : tensor<2x36xi32>} : () -> tensor<2x36xi32>
    %164 = "stablehlo.compare"(%155, %163) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<2x36xi32>, tensor<2x36xi32>) -> tensor<2x36xi1>
    %165 = "stablehlo.and"(%162, %164) : (tensor<2x36xi1>, tensor<2x36xi1>) -> tensor<2x36xi1>
    %166 = "stablehlo.reshape"(%165) : (tensor<2x36xi1>) -> tensor<2x36x1xi1>
    %167 = "stablehlo.broadcast_in_dim"(%166) {broadcast_dimensions = array<i64: 0, 1, 2>} : (tensor<2x36x1xi1>) -> tensor<2x36x1xi1>
    %168 = "stablehlo.constant"() {value = dense<0.0e+00> : tensor<2x36x1xf32>} : () -> tensor<2x36x1xf32>
    %169 = "stablehlo.select"(%167, %160, %168) : (tensor<2x36x1xi1>, tensor<2x36x1xf32>, tensor<2x36x1xf32>) -> tensor<2x36x1xf32>
    %170 = "stablehlo.reshape"(%169) : (tensor<2x36x1xf32>) -> tensor<2x36xf32>
    %171 = "stablehlo.reshape"(%170) : (tensor<2x36xf32>) -> tensor<2x4x3x3xf32>
    %172 = "stablehlo.constant"() {value = dense<1.0e+00> : tensor<f32>} : () -> tensor<f32>
    %173 = "stablehlo.reshape"(%172) : (tensor<f32>) -> tensor<1x1x1x1xf32>
    %174 = "stablehlo.broadcast_in_dim"(%173) {broadcast_dimensions = array<i64: 0, 1, 2, 3>} : (tensor<1x1x1x1xf32>) -> tensor<2x4x3x3xf32>
    %175 = "stablehlo.constant"() {value = dense<0.0e+00> : tensor<f32>} : () -> tensor<f32>
    %176 = "stablehlo.pad"(%174, %175) {edge_padding_low = array<i64: 0, 1, 1, 0>, edge_padding_high = array<i64: 0, 1, 1, 0>, interior_padding = array<i64: 0, 1, 1, 0>} : (tensor<2x4x3x3xf32>, tensor<f32>) -> tensor<2x9x7x3xf32>
    %177 = "stablehlo.constant"() {value = dense<0.0e+00> : tensor<f32>} : () -> tensor<f32>
    %178 = "stablehlo.reduce_window"(%176, %177) ({
    ^bb0(%179: tensor<f32>, %180: tensor<f32>):
    %181 = "stablehlo.add"(%179, %180) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%181) : (tensor<f32>) -> ()
    }) {window_dimensions = array<i64: 1, 3, 3, 1>, window_strides = array<i64: 1, 1, 1, 1>, base_dilations = array<i64: 1, 1, 1, 1>, window_dilations = array<i64: 1, 1, 1, 1>, padding = dense<[[0, 0], [0, 0], [0, 0], [0, 0]]> : tensor<4x2xi64>} : (tensor<2x9x7x3xf32>, tensor<f32>) -> tensor<2x7x5x3xf32>
    "func.return"(%171, %178) : (tensor<2x4x3x3xf32>, tensor<2x7x5x3xf32>) -> ()
  }
}
